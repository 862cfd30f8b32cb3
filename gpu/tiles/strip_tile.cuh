// Products of a warp that has a strip of 16 rows of everything: what one product leaves in its registers is the left
// side of the next, and operands wait in the block's memory as the matrix units take them (operands.cuh); the
// state space's of bf16 products in bf16.
#pragma once

#include "core/numerics/activations.hpp"
#include "gpu/tiles/tile_product.cuh"

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
template <Products P, class E>
__device__ __forceinline__ Left<P> left_weighed_columns(const E* at, int ld, const float* weight) {
    const E* first = at + 2 * lane_place() * ld + lane_row();
    const auto of = [&](int half) {
        const E* x = first + 8 * half * ld;
        const float* w = weight + 8 * half + 2 * lane_place();
        return Fragment<P, 4>({w[0] * x[0], w[0] * x[8], w[1] * x[ld], w[1] * x[ld + 8]});
    };
    return {{of(0), of(1)}};
}
#if __CUDA_ARCH__ >= 800
/// Both of two numbers in bf16 times both of two others.
__device__ __forceinline__ unsigned multiply_pairs(unsigned x, unsigned y) {
    unsigned product;
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(product) : "r"(x), "r"(y), "r"(0x80008000U));
    return product;
}
#endif
/// The same by ldmatrix where operands are in bf16, as which the weights are taken then: an eighth of the loads.
template <Products P, class E>
__device__ __forceinline__ Left<P> left_moved_columns(const E* at, int ld, const float* weight) {
#if __CUDA_ARCH__ >= 800
    if constexpr (sizeof(E) == 2) {
        Left<P> left = left_columns<P>(at, ld);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const auto of = load_vector<2>(weight + 8 * half + 2 * lane_place());
            const unsigned both = to_bf16_pair(of.at[0], of.at[1]);
            for (unsigned& pair : left.half[half].pair) pair = multiply_pairs(pair, both);
        }
        return left;
    } else
#endif
        return left_weighed_columns<P>(at, ld, weight);
}
/// The same of rows: element (i, k) at at[i·ld + k], times weight[k].
template <Products P>
__device__ __forceinline__ Left<P> left_weighed_rows(const float* at, int ld, const float* weight) {
    const float* first = at + lane_row() * ld + 2 * lane_place();
    const auto of = [&](int half) {
        const auto top = load_vector<2>(first + 8 * half), bottom = load_vector<2>(first + 8 * ld + 8 * half),
                   w = load_vector<2>(weight + 2 * lane_place() + 8 * half);
        return Fragment<P, 4>(
            {w.at[0] * top.at[0], w.at[0] * bottom.at[0], w.at[1] * top.at[1], w.at[1] * bottom.at[1]});
    };
    return {{of(0), of(1)}};
}
/// Results of a product as the left side of the next.
template <Products P>
__device__ __forceinline__ Left<P> left_results(const WarpTile<float>& x) {
    const auto of = [&](const float(&sum)[4]) { return Fragment<P, 4>({sum[0], sum[2], sum[1], sum[3]}); };
    return {{of(x.sum[0]), of(x.sum[1])}};
}

/// A lane's eight numbers of a tile x in the order in which right_kept() takes them: as x's transpose, a right side.
__device__ __forceinline__ Vector<float, 8> right_numbers(const WarpTile<float>& x) {
    Vector<float, 8> numbers;
#pragma unroll
    for (int row = 0; row < 2; ++row)
#pragma unroll
        for (int column = 0; column < kEighths; ++column)
#pragma unroll
            for (int e = 0; e < 2; ++e) numbers.at[4 * row + 2 * column + e] = x.sum[column][2 * row + e];
    return numbers;
}
template <Products P, class E>
__device__ __forceinline__ Right<P> right_kept(const E* at) {
#if __CUDA_ARCH__ >= 800
    if constexpr (sizeof(E) == 2) {
        const auto of_lane = *reinterpret_cast<const Vector<unsigned, 4>*>(at);
        const auto of = [&](int i) {
            const unsigned pair[1] = {of_lane.at[i]};
            return Fragment<P, 2>(pair);
        };
        return {{{of(0), of(1)}, {of(2), of(3)}}};
    } else
#endif
    {
        const auto of_lane = *reinterpret_cast<const Vector<E, 8>*>(at);
        const auto of = [&](int i) { return Fragment<P, 2>({of_lane.at[2 * i], of_lane.at[2 * i + 1]}); };
        return {{{of(0), of(1)}, {of(2), of(3)}}};
    }
}

/// body(row, column, half of the rows, first, second): the neighbours that a lane has of a tile, as references.
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
/// closer than that are not added; with 4, those that have the same columns of a tile are. (cub::WarpReduce would take
/// five shuffles a number; all together take about one each.)
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

// ---- pairs of a strip's rows, and the decays between them: a warp's own tables

constexpr int kTableLd = kTileRows + 1;

/// to[i·kTableLd + j] = decay between rows j < i, lane i having row i's: products of decays, since differences of their
/// sums would lose digits.
__device__ __forceinline__ void inner_decays(float log_decay, float* to) {
    const int j = lane_index() % kTileRows;
    const float decay = numerics::exp(log_decay);
    float weight = 1;
#pragma unroll
    for (int i = 1; i < kTileRows; ++i) {
        const float next = __shfl_sync(0xffffffffU, decay, i);
        if (j < i) to[i * kTableLd + j] = weight *= next;
    }
    __syncwarp();
}

/// Σ pairs[i·kTableLd + j] over j < row ≤ i for the lane's row: what the decay of that row's step weighs. The table is
/// used up.
__device__ __forceinline__ float crossings(float* pairs) {
    const int lane = lane_index() % kTileRows;
    __syncwarp();
    float behind = 0, crossing = 0;
    if (lane_index() < kTileRows) {
#pragma unroll
        for (int i = kTileRows - 1; i > 0; --i)
            if (i > lane) pairs[i * kTableLd + lane] = behind += pairs[i * kTableLd + lane];
    }
    __syncwarp();
#pragma unroll
    for (int j = 0; j + 1 < kTileRows; ++j)
        if (j < lane) crossing += pairs[lane * kTableLd + j];
    __syncwarp();
    return crossing;
}

}  // namespace whorl::gpu
