// Loops over contiguous numbers, vectorised by the compiler, with the same bits from every compiler: products are fused
// where the source says fma and nowhere else, and a sum's order depends on the count alone. (A `reduction` clause would
// leave the order to the compiler, whose vector body and tail add differently from version to version.)
#pragma once

#include <cstdint>

#include "core/numerics/floating.hpp"

namespace whorl::cpu {

/// Partial sums side by side: two 256-bit vectors.
template <class T>
inline constexpr std::int64_t kSumLanes = 64 / static_cast<std::int64_t>(sizeof(T));

/// One sum over the terms of i in [0, n): add(sum, i) returns the sum with term i in it. Term i belongs to partial sum
/// i mod kSumLanes; those are folded in halves.
template <class T, class Add>
inline T sum_over(std::int64_t n, const Add& add) {
    constexpr std::int64_t lanes = kSumLanes<T>;
    T sum[lanes] = {};
    std::int64_t begin = 0;
    for (; begin + lanes <= n; begin += lanes) {
#pragma omp simd
        for (std::int64_t lane = 0; lane < lanes; ++lane) sum[lane] = add(sum[lane], begin + lane);
    }
    for (std::int64_t lane = 0; lane < n - begin; ++lane) sum[lane] = add(sum[lane], begin + lane);
    for (std::int64_t half = lanes / 2; half > 0; half /= 2)
        for (std::int64_t lane = 0; lane < half; ++lane) sum[lane] += sum[lane + half];
    return sum[0];
}

template <class T>
inline T dot(const T* a, const T* b, std::int64_t n) {
    return sum_over<T>(n, [&](T sum, std::int64_t i) { return numerics::fma(a[i], b[i], sum); });
}
template <class T>
inline T sum_squares(const T* a, std::int64_t n) {
    return dot(a, a, n);
}
/// y += s·x
template <class T>
inline void axpy(T s, const T* x, T* y, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] = numerics::fma(s, x[i], y[i]);
}
/// y += a ⊙ b
template <class T>
inline void multiply_add(const T* a, const T* b, T* y, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] = numerics::fma(a[i], b[i], y[i]);
}
template <class T>
inline void scale(T s, T* y, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] *= s;
}
template <class T>
inline void copy(const T* x, T* y, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i];
}
template <class T>
inline void fill(T value, T* y, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] = value;
}
template <class T>
inline void accumulate(const T* x, T* y, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] += x[i];
}

}  // namespace whorl::cpu
