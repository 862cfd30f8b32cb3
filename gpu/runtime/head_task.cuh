// Which head a block or a warp works on: the order of replica, sequence and head is said here alone.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace whorl::gpu {

/// Head h of sequence b of replica r.
struct HeadOfSequence {
    std::int64_t r, b;
    int h;

    /// From its place in [replica][sequence][head].
    __device__ static HeadOfSequence at(std::int64_t index, std::int64_t batch, int heads) {
        return {index / heads / batch, index / heads % batch, static_cast<int>(index % heads)};
    }
    __device__ std::int64_t index(std::int64_t batch, int heads) const { return (r * batch + b) * heads + h; }
};

/// Of a grid that counts, along x, the heads of all of a replica's sequences. (Division by 64-bit numbers is a hundred
/// instructions.)
__device__ __forceinline__ HeadOfSequence head_of_block(int heads, unsigned replica) {
    return {replica, blockIdx.x / static_cast<unsigned>(heads),
            static_cast<int>(blockIdx.x % static_cast<unsigned>(heads))};
}

}  // namespace whorl::gpu
