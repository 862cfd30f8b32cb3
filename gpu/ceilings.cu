// What the GPU reaches at most, for benchmarks to compare with: multiply-adds out of registers, and a large copy.
#include <algorithm>
#include <vector>

#include "gpu/cuda_backend.hpp"
#include "gpu/launch.cuh"

namespace whorl {
namespace gpu {
namespace {

constexpr int kChains = 8, kRounds = 4096, kThreads = 256;

/// Every thread keeps eight sums going, none of which the compiler can foresee.
__global__ void multiply_add_kernel(float* out, float a, float b) {
    float sum[kChains];
#pragma unroll
    for (int i = 0; i < kChains; ++i) sum[i] = a * static_cast<float>(threadIdx.x + i);
    for (int round = 0; round < kRounds; ++round)
#pragma unroll
        for (int i = 0; i < kChains; ++i) sum[i] = sum[i] * a + b;
    float total = 0;
#pragma unroll
    for (int i = 0; i < kChains; ++i) total += sum[i];
    out[blockIdx.x * kThreads + threadIdx.x] = total;
}

/// Median seconds of one call, by events.
template <class Body>
double median_seconds(cudaStream_t stream, const Body& body) {
    cudaEvent_t start, stop;
    check(cudaEventCreate(&start), "an event");
    check(cudaEventCreate(&stop), "an event");
    std::vector<float> times;
    for (int i = 0; i < 12; ++i) {
        check(cudaEventRecord(start, stream), "an event");
        body();
        check(cudaEventRecord(stop, stream), "an event");
        check(cudaEventSynchronize(stop), "a measurement");
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, start, stop), "a measurement");
        if (i >= 2) times.push_back(milliseconds);
    }
    cudaEventDestroy(start);
    cudaEventDestroy(stop);
    std::sort(times.begin(), times.end());
    return 1e-3 * static_cast<double>(times[times.size() / 2]);
}

}  // namespace
}  // namespace gpu

Ceilings measure_cuda_ceilings() {
    gpu::CudaBackend backend;
    const std::int64_t size = std::int64_t{1} << 29;
    const Buffer from = backend.allocate(size), to = backend.allocate(size);
    const std::int64_t blocks = 32 * backend.multiprocessors();
    const double copy = gpu::median_seconds(backend.stream(), [&] {
        gpu::check(cudaMemcpyAsync(to.data(), from.data(), static_cast<std::size_t>(size), cudaMemcpyDeviceToDevice,
                                   backend.stream()),
                   "a copy");
    });
    const double products = gpu::median_seconds(backend.stream(), [&] {
        gpu::launch("multiply-adds", gpu::multiply_add_kernel, dim3(gpu::grid_size(blocks)), dim3(gpu::kThreads), 0,
                    backend.stream(), reinterpret_cast<float*>(to.data()), 0.999f, 0.5f);
    });
    const double operations = 2.0 * gpu::kChains * gpu::kRounds * gpu::kThreads * static_cast<double>(blocks);
    return {1e-9 * operations / products, 1e-9 * 2 * static_cast<double>(size) / copy};
}

}  // namespace whorl
