// The products of attention's own kernels. All operands have 16 bits, which the matrix units multiply fastest and
// ldmatrix moves:
//
//     bf16      bfloat16 as it is
//     TF32      binary16: the same eleven digits. What TF32 has in range beyond that, a power of two makes good that is
//               taken out of all of a head's numbers (flash_operands.cuh)
//     float32   two of these, x = high + low, as high·high + high·low + low·high: 2⁻²² of a term are left out, as in
//     the
//               three TF32 products of mma.cuh, in half their time
//
// A row of two parts is K high ones, then K low ones.
#pragma once

#include "gpu/attention/half.cuh"
#include "gpu/tiles/strip_tile.cuh"

namespace whorl::gpu {

template <Products P>
constexpr int kParts = P == Products::float32 ? 2 : 1;
template <Products P>
constexpr bool kScaled = P != Products::bf16;
template <Products P>
using FlashOperand = std::conditional_t<P == Products::bf16, Bf16, Half>;
/// Leading dimension of a head's rows in the block's memory.
template <Products P, int K>
constexpr int kOperandLd = operand_ld<Bf16>(kParts<P>* K);

#if __CUDA_ARCH__ >= 800

/// 16 × 16 numbers as the matrix units take them, from either side.
template <Products P>
struct Side {
    unsigned x[kParts<P>][4];
};
template <Products P>
using OwnSide = Side<P>;
template <Products P>
using OtherSide = Side<P>;

template <Products P>
__device__ __forceinline__ unsigned pair_of(float first, float second) {
    if constexpr (P == Products::bf16) return to_bf16_pair(first, second);
    unsigned pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}
__device__ __forceinline__ unsigned rest_of_pair(unsigned pair, float first, float second) {
    float high[2];
    asm("{.reg .b16 a, b; mov.b32 {a, b}, %2; cvt.f32.f16 %0, a; cvt.f32.f16 %1, b;}"
        : "=f"(high[0]), "=f"(high[1])
        : "r"(pair));
    return pair_of<Products::float32>(first - high[0], second - high[1]);
}
template <Products P>
__device__ __forceinline__ void multiply_add(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    if constexpr (P == Products::bf16)
        asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
    else
        asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
template <Products P, int K, bool Transposed>
__device__ __forceinline__ Side<P> load_side(const FlashOperand<P>* at, bool by_rows) {
    Side<P> side;
#pragma unroll
    for (int part = 0; part < kParts<P>; ++part)
        load_matrices<Transposed>(side.x[part],
                                  matrix_row(reinterpret_cast<const Bf16*>(at) + part * K, kOperandLd<P, K>, by_rows));
    return side;
}

/// 16 own rows from anywhere in memory: the lane's first one and the one eight behind.
template <Products P, int K>
__device__ __forceinline__ OwnSide<P> own_rows_from(const FlashOperand<P>* top, const FlashOperand<P>* bottom) {
    OwnSide<P> side;
#pragma unroll
    for (int part = 0; part < kParts<P>; ++part)
#pragma unroll
        for (int i = 0; i < 4; ++i)
            side.x[part][i] = *reinterpret_cast<const unsigned*>((i % 2 == 0 ? top : bottom) + part * K + i / 2 * 8 +
                                                                 2 * lane_place());
    return side;
}
/// Element (i, k) at at[i·ld + k] of the block's memory.
template <Products P, int K>
__device__ __forceinline__ OwnSide<P> own_rows(const FlashOperand<P>* at) {
    return load_side<P, K, false>(at, false);
}
/// Element (k, j) at at[j·ld + k].
template <Products P, int K>
__device__ __forceinline__ OtherSide<P> other_rows(const FlashOperand<P>* at) {
    return load_side<P, K, false>(at, true);
}
/// Element (k, j) at at[k·ld + j].
template <Products P, int K>
__device__ __forceinline__ OtherSide<P> other_columns(const FlashOperand<P>* at) {
    return load_side<P, K, true>(at, false);
}
/// Results of a product before.
template <Products P>
__device__ __forceinline__ OwnSide<P> own_results(const WarpTile<float>& x) {
    OwnSide<P> side;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const float first = x.sum[i / 2][i % 2 * 2], second = x.sum[i / 2][i % 2 * 2 + 1];
        side.x[0][i] = pair_of<P>(first, second);
        if constexpr (kParts<P> == 2) side.x[1][i] = rest_of_pair(side.x[0][i], first, second);
    }
    return side;
}

/// sums[u] += own[u] · other, for Units of 16 rows. The parts of a product wait for each other: those of all sums take
/// turns.
template <Products P, int Units>
__device__ __forceinline__ void multiply_add(WarpTile<float>* const (&sums)[Units], const OwnSide<P> (&own)[Units],
                                             const OtherSide<P>& other) {
    constexpr int products = kParts<P> == 2 ? 3 : 1;
#pragma unroll
    for (int i = products - 1; i >= 0; --i)
#pragma unroll
        for (int u = 0; u < Units; ++u)
#pragma unroll
            for (int n = 0; n < kEighths; ++n) {
                const int left = i == 2 ? 1 : 0, right = i == 1 ? 1 : 0;
                multiply_add<P>(sums[u]->sum[n], own[u].x[left], other.x[right][2 * n], other.x[right][2 * n + 1]);
            }
}

#else  // the same in floats

template <Products P>
using OwnSide = Left<P>;
template <Products P>
using OtherSide = Right<P>;

template <Products P, int K>
__device__ __forceinline__ float number_at(const FlashOperand<P>* at) {
    if constexpr (kParts<P> == 2) return static_cast<float>(at[0]) + static_cast<float>(at[K]);
    return at[0];
}
template <Products P, int K>
__device__ __forceinline__ OwnSide<P> own_rows_from(const FlashOperand<P>* top, const FlashOperand<P>* bottom) {
    const auto of = [&](int half) {
        const int at = 8 * half + 2 * lane_place();
        return Fragment<P, 4>({number_at<P, K>(top + at), number_at<P, K>(bottom + at), number_at<P, K>(top + at + 1),
                               number_at<P, K>(bottom + at + 1)});
    };
    return {{of(0), of(1)}};
}
template <Products P, int K>
__device__ __forceinline__ OwnSide<P> own_rows(const FlashOperand<P>* at) {
    const FlashOperand<P>* top = at + lane_row() * kOperandLd<P, K>;
    return own_rows_from<P, K>(top, top + 8 * kOperandLd<P, K>);
}
/// Terms of the sum `term` numbers apart, columns `column`.
template <Products P, int K>
__device__ __forceinline__ OtherSide<P> other_side(const FlashOperand<P>* at, int term, int column) {
    const auto of = [&](int n, int half) {
        const FlashOperand<P>* x = at + (8 * n + lane_row()) * column + (8 * half + 2 * lane_place()) * term;
        return Fragment<P, 2>({number_at<P, K>(x), number_at<P, K>(x + term)});
    };
    return {{{of(0, 0), of(0, 1)}, {of(1, 0), of(1, 1)}}};
}
template <Products P, int K>
__device__ __forceinline__ OtherSide<P> other_rows(const FlashOperand<P>* at) {
    return other_side<P, K>(at, 1, kOperandLd<P, K>);
}
template <Products P, int K>
__device__ __forceinline__ OtherSide<P> other_columns(const FlashOperand<P>* at) {
    return other_side<P, K>(at, kOperandLd<P, K>, 1);
}
template <Products P>
__device__ __forceinline__ OwnSide<P> own_results(const WarpTile<float>& x) {
    return left_results<P>(x);
}
template <Products P, int Units>
__device__ __forceinline__ void multiply_add(WarpTile<float>* const (&sums)[Units], const OwnSide<P> (&own)[Units],
                                             const OtherSide<P>& other) {
#pragma unroll
    for (int u = 0; u < Units; ++u) multiply_add(*sums[u], own[u], other);
}

#endif

}  // namespace whorl::gpu
