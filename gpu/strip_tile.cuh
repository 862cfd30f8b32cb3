// Products of a warp that has a strip of 16 rows of everything: what one product leaves in its registers is the left
// side of the next, and operands wait in the block's memory as the matrix units take them (operands.cuh), bf16
// products' in bf16.
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

template <Products P>
__device__ __forceinline__ void multiply_add(WarpTile<float>& c, const Left<P>& a, const Right<P>& b) {
    multiply_add(c.sum, a, b);
}

/// Left side: element (i, k) at at[k·ld + i], times weight[k].
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
