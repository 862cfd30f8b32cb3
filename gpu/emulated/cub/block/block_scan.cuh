// Stands in for CUB's header of this name, as cuda_runtime.h for the runtime's.
#pragma once

#include "gpu/emulated/device.hpp"

namespace cub {

template <class T, int Threads>
class BlockScan {
public:
    /// sum: of all values up to this thread's. Memory is shared with the next one: a barrier stands between.
    void InclusiveSum(T value, T& sum, const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
        __shared__ T values[Threads];
        values[threadIdx.x] = value;
        __syncthreads(file, line);
        sum = values[0];
        for (unsigned i = 1; i <= threadIdx.x; ++i) sum = sum + values[i];
    }
};

}  // namespace cub
