// What the GPU reaches at most, for benchmarks to compare with: multiply-adds and matrix products out of registers, and
// a large copy. The matrix units are driven by mma.sync, which any kernel of this backend can use and which falls short
// of what Hopper's warp-group instructions reach.
#include <algorithm>
#include <vector>

#include "core/backend/ceilings.hpp"
#include "gpu/runtime/cuda_backend.hpp"
#include "gpu/runtime/launch.cuh"

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

enum class Matrix { tf32, bf16 };

/// sum[16,8] += a[16,k] b[k,8] by one warp; k = 8 (TF32) or 16 (bfloat16).
template <Matrix kind>
__device__ void multiply_matrices([[maybe_unused]] float (&sum)[4], [[maybe_unused]] const std::uint32_t (&a)[4],
                                  [[maybe_unused]] const std::uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    if constexpr (kind == Matrix::tf32)
        asm volatile(
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    else
        asm volatile(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
            "{%0,%1,%2,%3};"
            : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/// Every warp keeps eight products going, of numbers in [1, 2) with all bits of their mantissas in use. Leaves zeros
/// where there is no code for the matrix units.
template <Matrix kind>
__global__ void matrix_kernel(float* out) {
    std::uint32_t a[4], b[2], bits = 0x9E3779B9U * (threadIdx.x + 1);
    const auto next = [&] {
        bits = bits * 1664525U + 1013904223U;
        return 0x3F803F80U | ((bits >> 8) & 0x007F007FU);  // two bfloat16, and one TF32
    };
    for (std::uint32_t& word : a) word = next();
    for (std::uint32_t& word : b) word = next();
    float sum[kChains][4] = {};
    for (int round = 0; round < kRounds; ++round)
#pragma unroll
        for (int i = 0; i < kChains; ++i) multiply_matrices<kind>(sum[i], a, b);
    float total = 0;
#pragma unroll
    for (int i = 0; i < kChains; ++i) total += sum[i][0] + sum[i][1] + sum[i][2] + sum[i][3];
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

/// 10⁹ operations a second; 0 where the kernel did nothing.
template <Matrix kind>
double matrix_rate(CudaBackend& backend, std::byte* out, std::int64_t blocks) {
    const double seconds = median_seconds(backend.stream(), [&] {
        launch("matrix products", matrix_kernel<kind>, dim3(grid_size(blocks)), dim3(kThreads), 0, backend.stream(),
               reinterpret_cast<float*>(out));
    });
    Tensor first;
    first.data = out;
    float total = 0;
    backend.download(&total, first, sizeof total);
    const double operations = 2.0 * 16 * 8 * (kind == Matrix::tf32 ? 8 : 16) * kChains * kRounds * (kThreads / 32.0) *
                              static_cast<double>(blocks);
    return total > 0 ? 1e-9 * operations / seconds : 0;
}

}  // namespace
}  // namespace gpu

Ceilings measure_cuda_ceilings() {
    gpu::CudaBackend backend(0);
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
    return {1e-9 * operations / products, 1e-9 * 2 * static_cast<double>(size) / copy,
            gpu::matrix_rate<gpu::Matrix::tf32>(backend, to.data(), blocks),
            gpu::matrix_rate<gpu::Matrix::bf16>(backend, to.data(), blocks)};
}

}  // namespace whorl
