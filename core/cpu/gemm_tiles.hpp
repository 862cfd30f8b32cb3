// Matrix products whose operands lie in the processor's caches: nothing is packed but a transposed right factor, so
// that products of a few dozen rows cost little more than their arithmetic.
//
// One tile is 6 rows by 2 vectors of sums in registers. Each sum runs over k in order, in spans of kSpan: an element's
// bits depend on its own row and column alone, not on the sizes around it.
#pragma once

#include <algorithm>
#include <cstring>

#if defined(__FMA__)
#include <immintrin.h>
#endif

#include "core/cpu/gemm.hpp"

namespace whorl::cpu::tiles {

inline constexpr std::int64_t kVectorBytes = 32, kTileRows = 6, kTileVectors = 2;
inline constexpr std::int64_t kSpan = 256;  // of k: a panel of the right factor stays in the first-level cache

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
    using type = float __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VectorOf<double> {
    using type = double __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
inline constexpr std::int64_t kLanes = kVectorBytes / static_cast<std::int64_t>(sizeof(T));

/// The vector that begins at `from`, at any address: copies, which become single instructions, because a reference to a
/// vector promises its alignment. Through a reference: processors without AVX cannot return one in a register.
template <class T>
inline void load(const T* from, Vector<T>& to) {
    std::memcpy(&to, from, sizeof to);
}
template <class T>
inline void store(const Vector<T>& from, T* to) {
    std::memcpy(to, &from, sizeof from);
}

/// sum += left·right, lane by lane: fused where the processor can. (Compilers have no name for that which holds for
/// vectors of any kind; without the instruction the bits are those of two roundings.)
inline void add_product(float left, const Vector<float>& right, Vector<float>& sum) {
#if defined(__FMA__)
    sum = _mm256_fmadd_ps(_mm256_set1_ps(left), right, sum);
#else
    sum += left * right;
#endif
}
inline void add_product(double left, const Vector<double>& right, Vector<double>& sum) {
#if defined(__FMA__)
    sum = _mm256_fmadd_pd(_mm256_set1_pd(left), right, sum);
#else
    sum += left * right;
#endif
}

/// The left factor, either way round: element (i, l) lies at data[i·row + l·step].
template <class T>
struct Left {
    const T* data;
    std::int64_t row, step;
    Left at(std::int64_t i, std::int64_t l) const { return {data + i * row + l * step, row, step}; }
};

/// c [rows, vectors·lanes] = (or +=) a b over k terms.
template <class T, int kRows, int kVectors>
inline void tile(Left<T> a, const T* b, std::int64_t ldb, std::int64_t k, T* c, std::int64_t ldc, Write write) {
    Vector<T> sum[kRows][kVectors] = {};
    for (std::int64_t l = 0; l < k; ++l) {
        Vector<T> right[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) load(b + l * ldb + v * kLanes<T>, right[v]);
#pragma GCC unroll 6
        for (int i = 0; i < kRows; ++i) {
            const T left = a.data[i * a.row + l * a.step];
#pragma GCC unroll 2
            for (int v = 0; v < kVectors; ++v) add_product(left, right[v], sum[i][v]);
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
            T* to = c + i * ldc + v * kLanes<T>;
            if (write == Write::add) {
                Vector<T> before;
                load(to, before);
                sum[i][v] += before;
            }
            store(sum[i][v], to);
        }
}

/// All rows of a panel of columns.
template <class T, int kVectors>
void panel(Left<T> a, std::int64_t m, const T* b, std::int64_t ldb, std::int64_t k, T* c, std::int64_t ldc,
           Write write) {
    std::int64_t i = 0;
    for (; i + kTileRows <= m; i += kTileRows)
        tile<T, kTileRows, kVectors>(a.at(i, 0), b, ldb, k, c + i * ldc, ldc, write);
    a = a.at(i, 0);
    c += i * ldc;
    switch (m - i) {
        case 1:
            return tile<T, 1, kVectors>(a, b, ldb, k, c, ldc, write);
        case 2:
            return tile<T, 2, kVectors>(a, b, ldb, k, c, ldc, write);
        case 3:
            return tile<T, 3, kVectors>(a, b, ldb, k, c, ldc, write);
        case 4:
            return tile<T, 4, kVectors>(a, b, ldb, k, c, ldc, write);
        case 5:
            return tile<T, 5, kVectors>(a, b, ldb, k, c, ldc, write);
        default:
            return;
    }
}

/// A last panel narrower than a vector: through copies padded with zeros, a few rows at a time.
template <class T>
void narrow_panel(Left<T> a, std::int64_t m, const T* b, std::int64_t ldb, std::int64_t columns, std::int64_t k, T* c,
                  std::int64_t ldc, Write write) {
    constexpr std::int64_t lanes = kLanes<T>;
    alignas(kVectorBytes) T right[kSpan * lanes], out[kTileRows * lanes];
    for (std::int64_t l = 0; l < k; ++l)
        for (std::int64_t j = 0; j < lanes; ++j) right[l * lanes + j] = j < columns ? b[l * ldb + j] : T(0);
    for (std::int64_t i = 0; i < m; i += kTileRows) {
        const std::int64_t rows = std::min(kTileRows, m - i);
        panel<T, 1>(a.at(i, 0), rows, right, lanes, k, out, lanes, Write::assign);
        for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t j = 0; j < columns; ++j) {
                T& to = c[(i + r) * ldc + j];
                to = write == Write::add ? to + out[r * lanes + j] : out[r * lanes + j];
            }
    }
}

/// One panel of at most two vectors of columns, all rows, over one span of k.
template <class T>
void any_panel(Left<T> a, std::int64_t m, const T* b, std::int64_t ldb, std::int64_t columns, std::int64_t k, T* c,
               std::int64_t ldc, Write write) {
    constexpr std::int64_t lanes = kLanes<T>;
    if (columns == 2 * lanes) return panel<T, 2>(a, m, b, ldb, k, c, ldc, write);
    if (columns >= lanes) {
        panel<T, 1>(a, m, b, ldb, k, c, ldc, write);
        b += lanes;
        c += lanes;
        columns -= lanes;
    }
    if (columns > 0) narrow_panel(a, m, b, ldb, columns, k, c, ldc, write);
}

inline void transpose(Vector<float> (&v)[8]) {
    Vector<float> t[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        t[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; ++j) {
            v[i + 2 * j] = __builtin_shufflevector(t[i + j], t[i + 2 + j], 0, 1, 8, 9, 4, 5, 12, 13);
            v[i + 2 * j + 1] = __builtin_shufflevector(t[i + j], t[i + 2 + j], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; ++i) {
        t[i] = __builtin_shufflevector(v[i], v[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        t[i + 4] = __builtin_shufflevector(v[i], v[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int i = 0; i < 8; ++i) v[i] = t[i];
}
inline void transpose(Vector<double> (&v)[4]) {
    Vector<double> t[4];
    for (int i = 0; i < 4; i += 2) {
        t[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 4, 2, 6);
        t[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 1, 5, 3, 7);
    }
    for (int i = 0; i < 2; ++i) {
        v[i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 4, 5);
        v[i + 2] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 6, 7);
    }
}

/// to[l·2·lanes + j] = b[j·ldb + l] for j < columns, l < k.
template <class T>
void transpose_panel(const T* b, std::int64_t ldb, std::int64_t columns, std::int64_t k, T* to) {
    constexpr std::int64_t lanes = kLanes<T>, width = kTileVectors * lanes;
    std::int64_t j = 0;
    for (; j + lanes <= columns; j += lanes) {
        std::int64_t l = 0;
        for (; l + lanes <= k; l += lanes) {
            Vector<T> block[lanes];
#pragma GCC unroll 8
            for (std::int64_t i = 0; i < lanes; ++i) load(b + (j + i) * ldb + l, block[i]);
            transpose(block);
#pragma GCC unroll 8
            for (std::int64_t i = 0; i < lanes; ++i) store(block[i], to + (l + i) * width + j);
        }
        for (; l < k; ++l)
            for (std::int64_t i = 0; i < lanes; ++i) to[l * width + j + i] = b[(j + i) * ldb + l];
    }
    for (; j < columns; ++j)
        for (std::int64_t l = 0; l < k; ++l) to[l * width + j] = b[j * ldb + l];
}

/// c = a b, panel after panel; with `transposed`, b is given as its transpose [n,k].
template <class T, bool transposed>
void multiply(Left<T> a, Matrix<const T> b, Matrix<T> c, std::int64_t k, Write write) {
    constexpr std::int64_t width = kTileVectors * kLanes<T>;
    alignas(64) T turned[transposed ? kSpan * width : 1];
    for (std::int64_t begin = 0; begin < std::max<std::int64_t>(k, 1); begin += kSpan) {
        const std::int64_t terms = std::min(kSpan, k - begin);
        for (std::int64_t j = 0; j < c.cols; j += width) {
            const std::int64_t columns = std::min(width, c.cols - j);
            const T* right = transposed ? b.data + j * b.ld + begin : b.data + begin * b.ld + j;
            if constexpr (transposed) {
                transpose_panel(right, b.ld, columns, terms, turned);
                right = turned;
            }
            any_panel(a.at(0, begin), c.rows, right, transposed ? width : b.ld, columns, terms, c.data + j, c.ld,
                      write);
        }
        write = Write::add;
    }
}

}  // namespace whorl::cpu::tiles
