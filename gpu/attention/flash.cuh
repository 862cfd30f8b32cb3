// Causal softmax attention after FlashAttention-2 (Dao, 2023), with the backward pass in two kernels: no score leaves
// the multiprocessor, and every sum has one owner, so that its order is fixed.
//
//     s = q·k/√K,   p = softmax over the keys up to the query's own,   y = Σ p v
//
//               keys →
//             ┌────┐
//     queries │■   │   forward, and dq: a block owns a stretch of queries (→) and goes through the keys up to its
//        ↓    │■■  │   last one. Backward of k and v: a block owns a stretch of keys (↓) and goes through the queries
//             │■■■ │   from its first one on. Stretches with the longest way begin first.
//             │■■■■│
//             └────┘
//
// Softmax is kept in powers of two: p = 2^{c s - l}, c = log₂e/√K, l = log₂ Σ 2^{c s}, which forward saves. With
// dp = dy·v and D = ⟨dy, y⟩ (which is Σ p dp):  ds = p (dp - D),  dq = Σ ds k/√K,  dk = Σ ds q/√K,  dv = Σ p dy.
#pragma once

#include "gpu/attention/flash_tile.cuh"

namespace whorl::gpu {

/// Rows of an operand, of all replicas.
template <class E>
struct OperandRows {
    const E* data;
    std::int64_t replica, row, head;  // elements between two
    std::int64_t sequence;            // rows between two, where they are not packed

    __device__ HeadRows<E> of(const AttentionShape& s, const HeadOfSequence& at) const {
        const std::int64_t first = s.sequences.starts ? s.sequences.first_row(at.r, at.b) : at.b * sequence;
        return {data + at.r * replica + first * row + at.h * head, row};
    }
};

/// Numbers of queries: [R,B,H,L].
struct QueryNumbers {
    float* data;
    __device__ float* of(const AttentionShape& s, const HeadOfSequence& head) const {
        return data + head.index(s.batch, s.heads) * s.length;
    }
};

/// What a head's operand was multiplied by, a power of two that makes its numbers less than 2^kOperandBits, and the way
/// back.
struct OperandScale {
    float to = 1, back = 1;
    OperandScale() = default;
    __device__ explicit OperandScale(unsigned largest) {
        if (largest == 0) return;
        const int exponent = most_of(static_cast<int>(largest >> 23) - 126, -100);
        to = __uint_as_float(static_cast<unsigned>(127 + kOperandBits - exponent) << 23);
        back = __uint_as_float(static_cast<unsigned>(127 - kOperandBits + exponent) << 23);
    }
    static constexpr int kOperandBits = 12;
};
/// The largest size among a head's numbers, by its bits, of each operand: [3,R,B,H] and [R,B,H].
enum class OperandName { q, keys, values, d_y };
struct LargestNumbers {
    unsigned *of_qkv, *of_d_y;
    __device__ unsigned* of(const AttentionShape& s, const HeadOfSequence& head, OperandName operand) const {
        const std::int64_t index = head.index(s.batch, s.heads);
        return operand == OperandName::d_y ? of_d_y + index
                                           : of_qkv + static_cast<int>(operand) * s.all_heads() + index;
    }
};

template <class E>
struct FlashOperands {
    OperandRows<E> q, keys, values;  // q and keys turned
    LargestNumbers largest;          // of numbers that are scaled
    // of the backward pass
    OperandRows<E> d_y;
    QueryNumbers log_sums, means;  // l and D
    QueryNumbers lifts;            // powers of two by which a query's dy is smaller than its head's largest

    template <Products P>
    __device__ OperandScale scale(const AttentionShape& s, const HeadOfSequence& head, OperandName operand) const {
        if constexpr (kScaled<P>) return OperandScale(*largest.of(s, head, operand));
        return {};
    }
};

/// Weights and gradients of scores on their way into scaled products: p·2^bits is at most that, and no ds, which is at
/// most 2^(24 + 7 + 1) for heads of 128, exceeds 2^14.
template <Products P>
constexpr int kWeightBits = kScaled<P> ? 12 : 0;
template <Products P>
constexpr float kSlopeScale = kScaled<P> ? 0x1p-18F : 1.0F;

/// Heads whose stretches come one after the other: what they read stays in the second-level cache.
constexpr int kHeadsTogether = 16;

/// The block's head, and its turn among that head's `stretches`.
struct FlashTask : HeadOfSequence {
    int turn, length;
    std::int64_t first_row;  // of the sequence among the replica's

    __device__ FlashTask(const AttentionShape& s, int stretches) : HeadOfSequence{} {
        const std::int64_t heads = s.all_heads(), group = blockIdx.x / (kHeadsTogether * stretches) * kHeadsTogether;
        const int together = static_cast<int>(heads - group < kHeadsTogether ? heads - group : kHeadsTogether);
        const int within = static_cast<int>(blockIdx.x - group * stretches);
        static_cast<HeadOfSequence&>(*this) = at(group + within % together, s.batch, s.heads);
        turn = within / together;
        length = s.sequences.length_of(r, b);
        first_row = s.sequences.first_row(r, b);
    }
};

/// The tiles of each kernel, by K and the parts of an operand: chosen on an H200, where 32 rows a warp load least for
/// each product. Below the 99 KiB of shared memory that a block has on any GPU since Ampere; Wide ones where there is
/// more. Where registers allow it, three blocks share a multiprocessor.
template <int K, int Parts>
struct FlashSizes;
template <>
struct FlashSizes<32, 1> {
    using Forward = FlashTiles<2, 4, 64, 64, 3, true>;
    using Queries = FlashTiles<2, 4, 64, 32, 3, true>;
    using Keys = FlashTiles<2, 4, 64, 64, 2>;
    using WideQueries = Queries;
    using WideKeys = Keys;
};
template <>
struct FlashSizes<64, 1> {
    using Forward = FlashTiles<2, 4, 64, 64, 2, true>;
    using Queries = FlashTiles<2, 4, 64, 32, 2, true>;
    using Keys = FlashTiles<2, 4, 64, 32, 2>;
    using WideQueries = Queries;
    using WideKeys = Keys;
};
template <>
struct FlashSizes<128, 1> {
    using Forward = FlashTiles<1, 4, 64, 64, 2>;
    using Queries = FlashTiles<1, 8, 64, 32, 1>;
    using Keys = FlashTiles<1, 4, 32, 32, 2>;
    using WideQueries = Queries;
    using WideKeys = Keys;
};
template <>
struct FlashSizes<32, 2> {
    using Forward = FlashTiles<2, 4, 32, 32, 2, true>;
    using Queries = FlashTiles<2, 4, 32, 32, 3, true>;
    using Keys = FlashTiles<2, 4, 32, 32, 2>;
    using WideQueries = Queries;
    using WideKeys = Keys;
};
template <>
struct FlashSizes<64, 2> {
    using Forward = FlashTiles<2, 4, 32, 32, 2, true>;
    using Queries = FlashTiles<2, 4, 16, 16, 2, true>;
    using Keys = FlashTiles<2, 4, 16, 16, 2>;
    using WideQueries = FlashTiles<2, 4, 32, 32, 2, true>;
    using WideKeys = FlashTiles<2, 4, 32, 32, 2>;
};
template <>
struct FlashSizes<128, 2> {
    using Forward = FlashTiles<1, 4, 32, 32, 2>;
    using Queries = FlashTiles<1, 3, 16, 16, 2, true>;
    using Keys = FlashTiles<1, 3, 16, 16, 2>;
    using WideQueries = FlashTiles<1, 4, 16, 16, 2, true>;
    using WideKeys = FlashTiles<1, 4, 16, 16, 2>;
};

inline int stretches_of(const AttentionShape& s, int rows) {
    return (s.length + rows - 1) / rows;
}

/// 1/√K.
template <int K>
__device__ __forceinline__ float score_factor() {
    return 1.0F / numerics::sqrt(static_cast<float>(K));
}
constexpr float kLog2E = 1.44269504088896341F;

}  // namespace whorl::gpu
