// y,g = split(x); out = y ⊙ silu(g).
#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {

void CpuBackend::swiglu_forward(const Tensor& x, const Tensor& out) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks(x.rows(), 128, 16);
        const std::int64_t n = out.features();
        parallel_for(threads_, x.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
                const T *value = x.at<T>(r) + i * x.row_stride(), *gate = value + n;
                T* y = out.at<T>(r) + i * out.row_stride();
#pragma omp simd
                for (std::int64_t j = 0; j < n; ++j) y[j] = value[j] * numerics::silu(gate[j]);
            }
        });
    });
}

void CpuBackend::swiglu_backward(const Tensor& x, const Tensor& d_out, const Tensor& d_x) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks(x.rows(), 128, 16);
        const std::int64_t n = d_out.features();
        parallel_for(threads_, x.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
                const T *value = x.at<T>(r) + i * x.row_stride(), *gate = value + n;
                const T* d = d_out.at<T>(r) + i * d_out.row_stride();
                T* d_value = d_x.at<T>(r) + i * d_x.row_stride();
#pragma omp simd
                for (std::int64_t j = 0; j < n; ++j) {
                    d_value[j] = d[j] * numerics::silu(gate[j]);
                    d_value[n + j] = d[j] * value[j] * numerics::silu_derivative(gate[j]);
                }
            }
        });
    });
}

}  // namespace whorl::cpu
