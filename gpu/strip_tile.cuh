// Products of a warp that has a strip of 16 rows of everything: what one product leaves in its registers is the left
// side of the next, and operands wait in the block's memory as the matrix units take them, bf16 products' in bf16.
//
// Sums run over 16 terms at once, in an order of their own: a lane's four are 2t, 2t+1, 2t+8, 2t+9 (t = lane % 4),
// which are neighbours both in a row of memory and among a lane's results (mma.cuh).
#pragma once

#include "gpu/tile_product.cuh"

namespace whorl::gpu {

/// What operands of products P are in a block's memory.
template <Products P>
using Operand = std::conditional_t<P == Products::bf16, Bf16, float>;

/// Leading dimension of operands: rows begin 16 bytes apart, an odd number of times.
template <class E>
__host__ __device__ constexpr int operand_ld(int n) {
    constexpr int group = 16 / static_cast<int>(sizeof(E));
    return group * ((n + group - 1) / group | 1);
}

/// 16 rows × 16 terms, and 16 terms × two eighths of 8 columns.
template <Products P>
struct Left {
    Fragment<P, 4> half[2];
};
template <Products P>
struct Right {
    Fragment<P, 2> half[kEighths][2];
};

template <Products P>
__device__ __forceinline__ void multiply_add(WarpTile<float>& c, const Left<P>& a, const Right<P>& b) {
#pragma unroll
    for (int n = 0; n < kEighths; ++n) {
#if __CUDA_ARCH__ >= 800
        if constexpr (P == Products::bf16)
            multiply_add(c.sum[n], a.half[0], a.half[1], b.half[n][0], b.half[n][1]);
        else
#endif
        {
            multiply_add(c.sum[n], a.half[0], b.half[n][0]);
            multiply_add(c.sum[n], a.half[1], b.half[n][1]);
        }
    }
}

/// Two neighbours of a row, and a lane's part of two rows.
template <Products P, class E>
__device__ __forceinline__ Fragment<P, 2> right_of(const Pack<E, 2>& x) {
    return Fragment<P, 2>({x.at[0], x.at[1]});
}
template <Products P, class E>
__device__ __forceinline__ Fragment<P, 4> left_of(const Pack<E, 2>& top, const Pack<E, 2>& bottom) {
    return Fragment<P, 4>({top.at[0], bottom.at[0], top.at[1], bottom.at[1]});
}

#if __CUDA_ARCH__ >= 800
/// Four matrices of 8 × 8 from shared memory: lane 8 i + j gives row j of matrix i.
template <bool Transposed>
__device__ __forceinline__ void load_matrices(unsigned (&x)[4], const Bf16* row) {
    const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
    if constexpr (Transposed)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                     : "r"(address)
                     : "memory");
    else
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                     : "r"(address)
                     : "memory");
}
/// The element that a lane names to load_matrices: of 16 × 16 numbers whose matrices come row by row, or column by
/// column.
__device__ __forceinline__ const Bf16* matrix_row(const Bf16* at, int ld, bool by_rows) {
    const int matrix = lane_index() / 8, row = lane_index() % 8;
    const int down = by_rows ? matrix / 2 : matrix % 2, across = by_rows ? matrix % 2 : matrix / 2;
    return at + (row + 8 * down) * ld + 8 * across;
}
__device__ __forceinline__ Left<Products::bf16> left_matrices(const unsigned (&x)[4]) {
    const unsigned first[2] = {x[0], x[1]}, second[2] = {x[2], x[3]};
    return {{Fragment<Products::bf16, 4>(first), Fragment<Products::bf16, 4>(second)}};
}
__device__ __forceinline__ Right<Products::bf16> right_matrices(const unsigned (&x)[4]) {
    using Part = Fragment<Products::bf16, 2>;
    const unsigned one[4][1] = {{x[0]}, {x[1]}, {x[2]}, {x[3]}};
    return {{{Part(one[0]), Part(one[1])}, {Part(one[2]), Part(one[3])}}};
}
#endif

/// Left side from anywhere in memory: element (i, k) at at[i·ld + k].
template <Products P, class E>
__device__ __forceinline__ Left<P> left_rows_from(const E* at, std::int64_t ld) {
    const E* top = at + lane_row() * ld + 2 * lane_place();
    const E* bottom = top + 8 * ld;
    return {
        {left_of<P>(*reinterpret_cast<const Pack<E, 2>*>(top), *reinterpret_cast<const Pack<E, 2>*>(bottom)),
         left_of<P>(*reinterpret_cast<const Pack<E, 2>*>(top + 8), *reinterpret_cast<const Pack<E, 2>*>(bottom + 8))}};
}
/// Right side likewise: element (k, j) at at[j·ld + k].
template <Products P, class E>
__device__ __forceinline__ Right<P> right_rows_from(const E* at, std::int64_t ld) {
    const E* first = at + lane_row() * ld + 2 * lane_place();
    const auto of = [&](int n, int half) {
        return right_of<P>(*reinterpret_cast<const Pack<E, 2>*>(first + 8 * n * ld + 8 * half));
    };
    return {{{of(0, 0), of(0, 1)}, {of(1, 0), of(1, 1)}}};
}

/// The same from operands in the block's memory.
template <Products P>
__device__ __forceinline__ Left<P> left_rows(const Operand<P>* at, int ld) {
#if __CUDA_ARCH__ >= 800
    if constexpr (P == Products::bf16) {
        unsigned x[4];
        load_matrices<false>(x, matrix_row(at, ld, false));
        return left_matrices(x);
    } else
#endif
        return left_rows_from<P>(at, ld);
}
template <Products P>
__device__ __forceinline__ Right<P> right_rows(const Operand<P>* at, int ld) {
#if __CUDA_ARCH__ >= 800
    if constexpr (P == Products::bf16) {
        unsigned x[4];
        load_matrices<false>(x, matrix_row(at, ld, true));
        return right_matrices(x);
    } else
#endif
        return right_rows_from<P>(at, ld);
}
/// Right side: element (k, j) at at[k·ld + j].
template <Products P>
__device__ __forceinline__ Right<P> right_columns(const Operand<P>* at, int ld) {
#if __CUDA_ARCH__ >= 800
    if constexpr (P == Products::bf16) {
        unsigned x[4];
        load_matrices<true>(x, matrix_row(at, ld, false));
        return right_matrices(x);
    } else
#endif
    {
        const Operand<P>* first = at + 2 * lane_place() * ld + lane_row();
        const auto of = [&](int n, int half) {
            const Operand<P>* x = first + 8 * half * ld + 8 * n;
            return Fragment<P, 2>({x[0], x[ld]});
        };
        return {{{of(0, 0), of(0, 1)}, {of(1, 0), of(1, 1)}}};
    }
}
/// Left side: element (i, k) at at[k·ld + i].
template <Products P>
__device__ __forceinline__ Left<P> left_columns(const Operand<P>* at, int ld) {
#if __CUDA_ARCH__ >= 800
    if constexpr (P == Products::bf16) {
        unsigned x[4];
        load_matrices<true>(x, matrix_row(at, ld, true));
        return left_matrices(x);
    } else
#endif
    {
        const Operand<P>* first = at + 2 * lane_place() * ld + lane_row();
        const auto of = [&](int half) {
            const Operand<P>* x = first + 8 * half * ld;
            return Fragment<P, 4>({x[0], x[8], x[ld], x[ld + 8]});
        };
        return {{of(0), of(1)}};
    }
}
/// The same, element (i, k) times weight[k].
template <Products P>
__device__ __forceinline__ Left<P> left_weighed_columns(const Operand<P>* at, int ld, const float* weight) {
    const Operand<P>* first = at + 2 * lane_place() * ld + lane_row();
    const auto of = [&](int half) {
        const Operand<P>* x = first + 8 * half * ld;
        const float* w = weight + 8 * half + 2 * lane_place();
        return Fragment<P, 4>({w[0] * x[0], w[0] * x[8], w[1] * x[ld], w[1] * x[ld + 8]});
    };
    return {{of(0), of(1)}};
}
/// Results of a product as the left side of the next.
template <Products P>
__device__ __forceinline__ Left<P> left_results(const WarpTile<float>& x) {
    const auto of = [&](const float(&sum)[4]) { return Fragment<P, 4>({sum[0], sum[2], sum[1], sum[3]}); };
    return {{of(x.sum[0]), of(x.sum[1])}};
}

/// body(row, column, pair): the neighbours that a lane has of a tile, as references.
template <class Body>
__device__ __forceinline__ void each_pair(WarpTile<float>& tile, const Body& body) {
#pragma unroll
    for (int n = 0; n < kEighths; ++n)
#pragma unroll
        for (int half = 0; half < 2; ++half)
            body(lane_row() + 8 * half, 8 * n + 2 * lane_place(), half, tile.sum[n][2 * half],
                 tile.sum[n][2 * half + 1]);
}

/// Sums over a warp of Count numbers, a power of two: lane l gets that of number l / (32 / Count). Nearest: lanes
/// closer than that are not added; with 4, those that have the same columns of a tile are.
template <int Count, int Nearest = 1>
__device__ __forceinline__ float sums_over_warp(float (&x)[Count]) {
    static_assert(Count * Nearest <= 32);
    int distance = 16;
#pragma unroll
    for (int half = Count / 2; half > 0; half /= 2, distance /= 2) {
        const bool upper = (lane_index() & distance) != 0;
#pragma unroll
        for (int i = 0; i < half; ++i) {
            const float given = upper ? x[i] : x[i + half];
            x[i] = (upper ? x[i + half] : x[i]) + __shfl_xor_sync(0xffffffffU, given, distance);
        }
    }
#pragma unroll
    for (; distance >= Nearest; distance /= 2) x[0] += __shfl_xor_sync(0xffffffffU, x[0], distance);
    return x[0];
}

}  // namespace whorl::gpu
