// Sums over a block of threads, by CUB.
#pragma once

#include <cub/block/block_reduce.cuh>

namespace whorl::gpu {

/// The sum over a block of Threads, in thread 0 alone; the number of threads decides its order.
template <int Threads, class T>
__device__ T block_sum(T value) {
    __syncthreads();  // an earlier sum has left the memory that they share
    return cub::BlockReduce<T, Threads>().Sum(value);
}

}  // namespace whorl::gpu
