// The last of several blocks finishes what all of them began, so that a sum over blocks needs no second kernel. Which
// block that is differs from run to run; what it does must not: it adds the blocks' results in their order.
#pragma once

#include <cuda_runtime.h>

namespace whorl::gpu {

/// True in every thread of the last of `count` blocks that come here with the same ticket: all that the others wrote
/// before is then visible through __ldcg. Called by whole blocks. Tickets are zero, and zero again afterwards.
__device__ inline bool last_to_arrive(unsigned* ticket, unsigned count) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0 && threadIdx.y == 0) {
        last = atomicAdd(ticket, 1U) == count - 1;
        if (last) *ticket = 0;
    }
    __syncthreads();
    if (last) __threadfence();
    return last;
}

}  // namespace whorl::gpu
