// y = silu(x), element by element.
#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/numerics/activations.hpp"

namespace whorl::cpu {
namespace {

/// body(replica, row) for every row of every replica, in blocks.
template <class Body>
void for_each_row(int threads, const Tensor& x, const Body& body) {
    const Blocks blocks(x.rows(), 128, 16);
    parallel_for(threads, x.replicas() * blocks.count, [&](std::int64_t task, int) {
        const std::int64_t r = task / blocks.count, block = task % blocks.count;
        for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) body(r, i);
    });
}

}  // namespace

void CpuBackend::silu_forward(const Tensor& x, const Tensor& y) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t n = x.features();
        for_each_row(threads_, x, [&](std::int64_t r, std::int64_t i) {
            const T* from = x.at<T>(r) + i * x.row_stride();
            T* to = y.at<T>(r) + i * y.row_stride();
#pragma omp simd
            for (std::int64_t j = 0; j < n; ++j) to[j] = numerics::silu(from[j]);
        });
    });
}

void CpuBackend::silu_backward(const Tensor& x, const Tensor& d_y, const Tensor& d_x) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const std::int64_t n = x.features();
        for_each_row(threads_, x, [&](std::int64_t r, std::int64_t i) {
            const T *at = x.at<T>(r) + i * x.row_stride(), *d = d_y.at<T>(r) + i * d_y.row_stride();
            T* to = d_x.at<T>(r) + i * d_x.row_stride();
#pragma omp simd
            for (std::int64_t j = 0; j < n; ++j) to[j] = d[j] * numerics::silu_derivative(at[j]);
        });
    });
}

}  // namespace whorl::cpu
