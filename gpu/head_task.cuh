// What a block of a kernel does whose grid counts, along x, the heads of all of a replica's sequences.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace whorl::gpu {

/// Division by 64-bit numbers is a hundred instructions.
struct HeadTask {
    __device__ HeadTask(int heads, unsigned replica)
        : r(replica),
          b(blockIdx.x / static_cast<unsigned>(heads)),
          h(static_cast<int>(blockIdx.x % static_cast<unsigned>(heads))) {}
    std::int64_t r, b;
    int h;
};

}  // namespace whorl::gpu
