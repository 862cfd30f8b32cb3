// Loops over contiguous numbers, vectorised by the compiler. A sum's order depends on the count alone.
#pragma once

#include <cstdint>

namespace whorl::cpu {

template <class T>
inline T dot(const T* a, const T* b, std::int64_t n) {
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
}
template <class T>
inline T sum_squares(const T* a, std::int64_t n) {
    return dot(a, a, n);
}
/// y += s·x
template <class T>
inline void axpy(T s, const T* x, T* y, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] += s * x[i];
}
/// y += a ⊙ b
template <class T>
inline void multiply_add(const T* a, const T* b, T* y, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] += a[i] * b[i];
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
