// Sums over rows in a fixed order that one replica's shape and number of rows decide: blocks of rows leave partial sums
// in scratch memory, which are added in order. No floating-point atomics.
#pragma once

#include <algorithm>

#include "gpu/runtime/last_block.cuh"
#include "gpu/runtime/launch.cuh"

namespace whorl::gpu {

constexpr int kSumColumns = 32, kSumLanes = 16;

/// Rows cut into equal parts, at most 64 of them.
struct Splits {
    std::int64_t size = 1, count = 1;
    Splits(std::int64_t rows, std::int64_t smallest, std::int64_t most = 64)
        : size(std::max(smallest, ceil_div(rows, most))), count(std::max<std::int64_t>(1, ceil_div(rows, size))) {}
};

/// Adds what the lanes of a column hold; valid in lane 0. (cub::BlockReduce has one sum a block, not one a column.)
template <class T>
__device__ T add_lanes(T value) {
    __shared__ T lanes[kSumLanes][kSumColumns];
    lanes[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.y != 0) return T(0);
    T sum = 0;
    for (int lane = 0; lane < kSumLanes; ++lane) sum += lanes[lane][threadIdx.x];
    return sum;
}

}  // namespace whorl::gpu
