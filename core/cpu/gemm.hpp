// Matrix products on one thread: our own tiles for small ones, Eigen's for large ones, instantiated once. Row-major;
// `ld` = elements from row to row.
#pragma once

#include <cstdint>

namespace whorl::cpu {

template <class T>
struct Matrix {
    T* data;
    std::int64_t rows, cols, ld;
};

enum class Write { assign, add };

/// c = a b      [m,k][k,n]
template <class T>
void gemm_nn(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write);
/// c = a bᵀ     [m,k][n,k]
template <class T>
void gemm_nt(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write);
/// c = aᵀ b     [k,m][k,n]
template <class T>
void gemm_tn(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write);

/// Fixes Eigen's cache sizes: its blocking, hence the order of its sums, would otherwise follow the machine.
void pin_gemm_blocking();

}  // namespace whorl::cpu
