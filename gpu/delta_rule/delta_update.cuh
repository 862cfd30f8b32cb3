// One token of the gated delta rule from a carried state: reads the state once, writes it once.
#pragma once

#include "gpu/runtime/cuda_backend.hpp"

namespace whorl::gpu {

/// Does the step and returns true; false, and nothing done, for keys that are longer than a block can hold, which are
/// left to the general kernel. Takes sequences of one position with a state.
bool delta_update(const CudaBackend& backend, const GatedDeltaNetConfig& config, const GatedDeltaTensors& in,
                  const Tensor& y, const Tensor& state);

}  // namespace whorl::gpu
