// Stands in for CUB's header of this name, as cuda_runtime.h for the runtime's. Sums have CUB's order, and so its bits.
#pragma once

#include "gpu/emulated/device.hpp"

namespace cub {

template <class T, int Threads>
class BlockReduce {
public:
    /// The sum in thread 0; what the others get is none. Memory is shared with the next one: a barrier stands between.
    T Sum(T value, const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
        static_assert(Threads % 32 == 0);
        __shared__ T values[Threads];
        values[threadIdx.x] = value;
        __syncthreads(file, line);
        __syncwarp(0xffffffffU, file, line);  // lets others go on before thread 0: a missing barrier shows
        if (threadIdx.x != 0) return value;
        for (int distance = 1; distance < 32; distance *= 2)  // by warps, neighbours first
            for (int i = 0; i < Threads; i += 2 * distance) values[i] = values[i] + values[i + distance];
        value = values[0];
        for (int warp = 1; warp < Threads / 32; ++warp) value = value + values[32 * warp];
        return value;
    }
};

}  // namespace cub
