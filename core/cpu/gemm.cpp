// Large stack limit: packing buffers must never come from the heap inside a training step.
#define EIGEN_STACK_ALLOCATION_LIMIT 2097152
#define EIGEN_DONT_PARALLELIZE
#include "core/cpu/gemm.hpp"

#include <Eigen/Core>

#include "core/cpu/gemm_tiles.hpp"

namespace whorl::cpu {
namespace {

template <class T>
using Map = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned,
                       Eigen::OuterStride<>>;
template <class T>
using ConstMap = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned,
                            Eigen::OuterStride<>>;

// Eigen counts in std::ptrdiff_t, which has 32 bits where addresses do.
Eigen::Index index(std::int64_t n) {
    return static_cast<Eigen::Index>(n);
}

template <class T>
ConstMap<T> map(Matrix<const T> m) {
    return {m.data, index(m.rows), index(m.cols), Eigen::OuterStride<>(index(m.ld))};
}
template <class T>
Map<T> map(Matrix<T> m) {
    return {m.data, index(m.rows), index(m.cols), Eigen::OuterStride<>(index(m.ld))};
}

template <class T, class Product>
void write_product(Matrix<T> c, const Product& product, Write write) {
    Map<T> target = map(c);
    if (write == Write::add)
        target.noalias() += product;
    else
        target.noalias() = product;
}

/// Products up to this size, all three matrices together, are left to tiles: beyond, packing pays. (Float elements;
/// measured rates of small products are 1.1 to 1.5 times Eigen's.)
bool is_small(std::int64_t m, std::int64_t n, std::int64_t k) {
    return m * n + n * k + k * m <= std::int64_t{1} << 17;
}

}  // namespace

template <class T>
void gemm_nn(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
    if (is_small(c.rows, c.cols, a.cols)) return tiles::multiply<T, false>({a.data, a.ld, 1}, b, c, a.cols, write);
    write_product(c, map<T>(a) * map<T>(b), write);
}
template <class T>
void gemm_nt(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
    // Turning b takes as long as a few rows of products do.
    if (c.rows >= 6 && is_small(c.rows, c.cols, a.cols))
        return tiles::multiply<T, true>({a.data, a.ld, 1}, b, c, a.cols, write);
    write_product(c, map<T>(a) * map<T>(b).transpose(), write);
}
template <class T>
void gemm_tn(Matrix<const T> a, Matrix<const T> b, Matrix<T> c, Write write) {
    if (is_small(c.rows, c.cols, a.rows)) return tiles::multiply<T, false>({a.data, 1, a.ld}, b, c, a.rows, write);
    write_product(c, map<T>(a).transpose() * map<T>(b), write);
}

void pin_gemm_blocking() {
    Eigen::setCpuCacheSizes(32 * 1024, 512 * 1024, 4 * 1024 * 1024);
}

#define WHORL_INSTANTIATE(T)                                                      \
    template void gemm_nn<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write); \
    template void gemm_nt<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write); \
    template void gemm_tn<T>(Matrix<const T>, Matrix<const T>, Matrix<T>, Write);
WHORL_INSTANTIATE(float)
WHORL_INSTANTIATE(double)
#undef WHORL_INSTANTIATE

}  // namespace whorl::cpu
