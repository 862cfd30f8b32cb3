// RMSNorm with the residual add, row by row.
#include <cmath>

#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/scratch.hpp"
#include "core/cpu/vector_math.hpp"

namespace whorl::cpu {
namespace {

Blocks norm_blocks(const Tensor& x) {
    return {x.rows(), 128, 16};
}

template <class T>
T* row(const Tensor& x, std::int64_t replica, std::int64_t index) {
    return x.at<T>(replica) + index * x.row_stride();
}

}  // namespace

OpMemory CpuBackend::rms_norm_memory(const Tensor& x) {
    const std::int64_t slots = x.replicas() * norm_blocks(x).count;
    return {0, slots * padded(x.features(), x.dtype) * static_cast<std::int64_t>(size_of(x.dtype))};
}

void CpuBackend::rms_norm_forward(const Tensor& x, const Tensor& residual, const Tensor& sum, const Tensor& weight,
                                  const Tensor& y, const Tensor& inverse, double epsilon) {
    dispatch(x.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks = norm_blocks(x);
        const std::int64_t n = x.features();
        parallel_for(threads_, x.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            const T* w = weight.at<T>(r);
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
                const T* in = row<T>(x, r, i);
                if (residual) {
                    T* total = row<T>(sum, r, i);
                    const T* extra = row<T>(residual, r, i);
#pragma omp simd
                    for (std::int64_t j = 0; j < n; ++j) total[j] = in[j] + extra[j];
                    in = total;
                }
                const T scale = T(1) / std::sqrt(sum_squares(in, n) / static_cast<T>(n) + static_cast<T>(epsilon));
                *row<T>(inverse, r, i) = scale;
                T* out = row<T>(y, r, i);
#pragma omp simd
                for (std::int64_t j = 0; j < n; ++j) out[j] = w[j] * (in[j] * scale);
            }
        });
    });
}

void CpuBackend::rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse, const Tensor& d_y,
                                   const Tensor& d_sum, const Tensor& d_weight, const Tensor& scratch) {
    dispatch(sum.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        const Blocks blocks = norm_blocks(sum);
        const std::int64_t n = sum.features(), slot = padded(n, sum.dtype);
        parallel_for(threads_, sum.replicas() * blocks.count, [&](std::int64_t task, int) {
            const std::int64_t r = task / blocks.count, block = task % blocks.count;
            const T* w = weight.at<T>(r);
            T* d_w = scratch.at<T>() + task * slot;
            fill(T(0), d_w, slot);
            for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
                const T *in = row<T>(sum, r, i), *slope = row<T>(d_y, r, i);
                const T scale = *row<T>(inverse, r, i);
                T projection = 0;
#pragma omp simd reduction(+ : projection)
                for (std::int64_t j = 0; j < n; ++j) {
                    d_w[j] += slope[j] * in[j] * scale;
                    projection += slope[j] * w[j] * in[j];
                }
                const T pull = projection * scale * scale / static_cast<T>(n);
                T* out = row<T>(d_sum, r, i);
#pragma omp simd
                for (std::int64_t j = 0; j < n; ++j) out[j] += scale * (slope[j] * w[j] - in[j] * pull);
            }
        });
        parallel_for(threads_, sum.replicas(), [&](std::int64_t r, int) {
            for (std::int64_t block = 0; block < blocks.count; ++block)
                accumulate(static_cast<const T*>(scratch.at<T>() + (r * blocks.count + block) * slot),
                           d_weight.at<T>(r), n);
        });
    });
}

}  // namespace whorl::cpu
