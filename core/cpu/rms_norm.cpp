// RMSNorm with the residual add, row by row.
#include "core/cpu/cpu_backend.hpp"
#include "core/cpu/parallel.hpp"
#include "core/cpu/scratch.hpp"
#include "core/cpu/vector_math.hpp"
#include "core/numerics/mixer_terms.hpp"

namespace whorl::cpu {
namespace {

Blocks norm_blocks(const Tensor& x) {
    return {x.rows(), 128, 16};
}

template <class T>
T* row(const Tensor& x, std::int64_t replica, std::int64_t index) {
    return x.at<T>(replica) + index * x.row_stride();
}

/// Which row of x is normed as row i: its own row i, or the one that slot i was given, -1 where it has none.
struct NormRows {
    Tensor x;
    Tensor row_of;  // empty: every row

    std::int64_t index(std::int64_t replica, std::int64_t i) const {
        return row_of ? row_of.at<std::int32_t>(replica)[i] : i;
    }
};

/// sum = x + residual of one row, zero without a row. Returns the row to be normed.
template <class T>
const T* sum_row(const NormRows& rows, const Tensor& residual, const Tensor& sum, std::int64_t r, std::int64_t i) {
    const std::int64_t from = rows.index(r, i), n = rows.x.features();
    if (!residual && !rows.row_of) return row<T>(rows.x, r, i);
    T* total = row<T>(sum, r, i);
    if (from < 0) {
        fill(T(0), total, n);
    } else if (!residual) {
        copy(static_cast<const T*>(row<T>(rows.x, r, from)), total, n);
    } else {
        const T *in = row<T>(rows.x, r, from), *extra = row<T>(residual, r, from);
#pragma omp simd
        for (std::int64_t j = 0; j < n; ++j) total[j] = in[j] + extra[j];
    }
    return total;
}

template <class T>
void norm_forward(int threads, const NormRows& rows, const Tensor& residual, const Tensor& sum, const Tensor& weight,
                  const Tensor& y, const Tensor& inverse, double epsilon) {
    const Blocks blocks = norm_blocks(y);
    const std::int64_t n = y.features();
    parallel_for(threads, y.replicas() * blocks.count, [&](std::int64_t task, int) {
        const std::int64_t r = task / blocks.count, block = task % blocks.count;
        const T* w = weight.at<T>(r);
        for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
            const T* in = sum_row<T>(rows, residual, sum, r, i);
            const T scale = numerics::inverse_rms(sum_squares(in, n), static_cast<T>(n), static_cast<T>(epsilon));
            *row<T>(inverse, r, i) = scale;
            T* out = row<T>(y, r, i);
#pragma omp simd
            for (std::int64_t j = 0; j < n; ++j) out[j] = w[j] * (in[j] * scale);
        }
    });
}

/// Adds to the rows of d_x that the rows of sum came from.
template <class T>
void norm_backward(int threads, const Tensor& sum, const Tensor& weight, const Tensor& inverse, const Tensor& d_y,
                   const NormRows& d_x, const Tensor& d_weight, const Tensor& scratch) {
    const Blocks blocks = norm_blocks(sum);
    const std::int64_t n = sum.features(), slot = padded(n, sum.dtype);
    parallel_for(threads, sum.replicas() * blocks.count, [&](std::int64_t task, int) {
        const std::int64_t r = task / blocks.count, block = task % blocks.count;
        const T* w = weight.at<T>(r);
        T* d_w = scratch.at<T>() + task * slot;
        fill(T(0), d_w, slot);
        for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i) {
            const std::int64_t to = d_x.index(r, i);
            if (to < 0) continue;
            const T *in = row<T>(sum, r, i), *slope = row<T>(d_y, r, i);
            const T scale = *row<T>(inverse, r, i);
            const T projection = sum_over<T>(n, [&](T partial, std::int64_t j) {
                d_w[j] = numerics::fma(slope[j] * in[j], scale, d_w[j]);
                return numerics::fma(slope[j] * w[j], in[j], partial);
            });
            const T pull = projection * scale * scale / static_cast<T>(n);
            T* out = row<T>(d_x.x, r, to);
#pragma omp simd
            for (std::int64_t j = 0; j < n; ++j)
                out[j] = numerics::fma(scale, numerics::fma(slope[j], w[j], -(in[j] * pull)), out[j]);
        }
    });
    parallel_for(threads, sum.replicas(), [&](std::int64_t r, int) {
        for (std::int64_t block = 0; block < blocks.count; ++block)
            accumulate(static_cast<const T*>(scratch.at<T>() + (r * blocks.count + block) * slot), d_weight.at<T>(r),
                       n);
    });
}

template <class T>
void clear_rows(int threads, const Tensor& x) {
    const Blocks blocks = norm_blocks(x);
    parallel_for(threads, x.replicas() * blocks.count, [&](std::int64_t task, int) {
        const std::int64_t r = task / blocks.count, block = task % blocks.count;
        for (std::int64_t i = blocks.begin(block); i < blocks.end(block); ++i)
            fill(T(0), row<T>(x, r, i), x.features());
    });
}

}  // namespace

OpMemory CpuBackend::rms_norm_memory(const Tensor& x) {
    const std::int64_t slots = x.replicas() * norm_blocks(x).count;
    return {0, slots * padded(x.features(), x.dtype) * static_cast<std::int64_t>(size_of(x.dtype))};
}

void CpuBackend::rms_norm_forward(const Tensor& x, const Tensor& residual, const Tensor& sum, const Tensor& weight,
                                  const Tensor& y, const Tensor& inverse, double epsilon) {
    dispatch(x.dtype, [&](auto scalar) {
        norm_forward<decltype(scalar)>(threads_, {x, {}}, residual, sum, weight, y, inverse, epsilon);
    });
}

void CpuBackend::rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse, const Tensor& d_y,
                                   const Tensor& d_sum, const Tensor& d_weight, const Tensor& scratch) {
    dispatch(sum.dtype, [&](auto scalar) {
        norm_backward<decltype(scalar)>(threads_, sum, weight, inverse, d_y, {d_sum, {}}, d_weight, scratch);
    });
}

OpMemory CpuBackend::chosen_rms_norm_memory(const Tensor& x, const Tensor& row_of) {
    Tensor slots = x;
    slots.shape = {x.replicas(), 1, row_of.features(), x.features()};
    return rms_norm_memory(slots);
}

void CpuBackend::chosen_rms_norm_forward(const Tensor& x, const Tensor& residual, const RowChoice& rows,
                                         const Tensor& sum, const Tensor& weight, const Tensor& y,
                                         const Tensor& inverse, double epsilon) {
    dispatch(x.dtype, [&](auto scalar) {
        norm_forward<decltype(scalar)>(threads_, {x, rows.row_of}, residual, sum, weight, y, inverse, epsilon);
    });
}

void CpuBackend::chosen_rms_norm_backward(const Tensor& sum, const Tensor& weight, const Tensor& inverse,
                                          const RowChoice& rows, const Tensor& d_y, const Tensor& d_x,
                                          const Tensor& d_weight, const Tensor& scratch) {
    dispatch(sum.dtype, [&](auto scalar) {
        using T = decltype(scalar);
        clear_rows<T>(threads_, d_x);
        norm_backward<T>(threads_, sum, weight, inverse, d_y, {d_x, rows.row_of}, d_weight, scratch);
    });
}

}  // namespace whorl::cpu
