// One token of the state-space layers (Mamba-3, Mamba-2) from a carried state: reads the state once, writes it once.
// The state's layout is that of state_space_forward.cuh, which may have made it and may go on with it.
#pragma once

#include "gpu/state_space/state_space.cuh"

namespace whorl::gpu {

/// Does the step and returns true; false, and nothing done, for a shape that is left to the general kernel (rank above
/// 8, a head or a state too wide for a block). Takes sequences of one position with a state.
bool state_update(const CudaBackend& backend, const StateSpaceShape& shape, const Mamba3Tensors& in, const Tensor& y,
                  const Tensor& state, std::int64_t position);

}  // namespace whorl::gpu
