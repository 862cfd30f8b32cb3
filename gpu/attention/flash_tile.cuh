// What the warps of attention's own kernels do with tiles: rows that a warp keeps, rows that pass by the block, and the
// two products between them. Units of 16 rows and 16 terms or columns are the matrix units' (operands.cuh).
#pragma once

#include "gpu/attention/attention.cuh"
#include "gpu/attention/flash_products.cuh"

namespace whorl::gpu {

/// 2^x, without the care for results below 2⁻¹²⁶ that the library's takes: they are zero.
__device__ __forceinline__ float power_of_two(float x) {
#if defined(__CUDA_ARCH__)
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return numerics::exp(x * 0.693147180559945309F);
#endif
}

/// 16 bytes into the block's shared memory behind the thread's back, or zeros where there is nothing to copy.
template <class E>
__device__ __forceinline__ void copy_or_clear_async(E* to, const E* from, bool there) {
#if __CUDA_ARCH__ >= 800
    const auto address = static_cast<unsigned>(__cvta_generic_to_shared(to));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(there ? 16 : 0)
                 : "memory");
#else
    *reinterpret_cast<float4*>(to) = there ? *reinterpret_cast<const float4*>(from) : float4{0, 0, 0, 0};
#endif
}

/// Starts the copy of rows [first, first + Rows) of a head's `count`; zeros behind them.
template <Products P, int K, int Rows, int Threads, class E>
__device__ __forceinline__ void copy_rows_async(E* to, const HeadRows<E>& from, int first, int count) {
    constexpr int ld = kOperandLd<P, K>, pack = 16 / static_cast<int>(sizeof(E)), packs = kParts<P> * K / pack;
#pragma unroll
    for (int at = 0; at < Rows * packs; at += Threads) {
        const int index = at + static_cast<int>(threadIdx.x), i = index / packs, c = index % packs * pack;
        if (Rows * packs % Threads != 0 && index >= Rows * packs) break;
        const bool there = first + i < count;
        copy_or_clear_async(to + i * ld + c, from.row(there ? first + i : 0) + c, there);
    }
}

/// Two matrices (keys and values, or queries and slopes) whose rows pass by the block, kRows of each at a time. Every
/// part has two places: while one is read, the next comes into the other.
///
///     memory   [ place 0: first | second ][ place 1: first | second ]
template <Products P, int K, int Rows, int Threads>
struct PassingRows {
    using E = FlashOperand<P>;
    static constexpr int kLd = kOperandLd<P, K>, kMatrix = Rows * kLd;
    static constexpr int kNumbers = 4 * kMatrix, kBytes = kNumbers * static_cast<int>(sizeof(E));

    E* memory;
    HeadRows<E> first_rows, second_rows;
    int count;  // rows that there are

    __device__ void start(int part, int from) const {
        copy_rows_async<P, K, Rows, Threads>(first(part), first_rows, from, count);
        copy_rows_async<P, K, Rows, Threads>(second(part), second_rows, from, count);
    }
    __device__ E* first(int part) const { return memory + part % 2 * 2 * kMatrix; }
    __device__ E* second(int part) const { return first(part) + kMatrix; }
};

/// A warp's own rows, in registers: Units of 16.
template <Products P, int K, int Units>
struct KeptRows {
    OwnSide<P> side[Units][K / 16];

    /// Rows from `first` on; the last of `count` stands for those behind it.
    __device__ __forceinline__ void load(const HeadRows<FlashOperand<P>>& from, int first, int count) {
#pragma unroll
        for (int u = 0; u < Units; ++u) {
            const int row = first + 16 * u + lane_row();
            const FlashOperand<P>* top = from.row(least_of(row, count - 1));
            const FlashOperand<P>* bottom = from.row(least_of(row + 8, count - 1));
#pragma unroll
            for (int k = 0; k < K / 16; ++k) side[u][k] = own_rows_from<P, K>(top + 16 * k, bottom + 16 * k);
        }
    }
    __device__ __forceinline__ OwnSide<P> get(int u, int k) const {
        return side[u][k];
    }
};

/// The same rows where they stay in the block's memory, for kernels whose registers hold other things.
template <Products P, int K>
struct SharedRows {
    const FlashOperand<P>* at;  // the warp's first
    __device__ __forceinline__ OwnSide<P> get(int u, int k) const {
        return own_rows<P, K>(at + 16 * u * kOperandLd<P, K> + 16 * k);
    }
};

/// A kernel's tiles. Warps: each has Units · 16 rows of the block's own, in registers or (Shared) in the block's
/// memory. Passing rows of the other side come at a time, and are used Step at a time.
template <int Units_, int Warps_, int Passing_, int Step_, int Blocks_, bool Shared_ = false>
struct FlashTiles {
    static constexpr int kUnits = Units_, kWarps = Warps_, kPassing = Passing_, kStep = Step_, kBlocks = Blocks_;
    static constexpr int kThreads = 32 * kWarps, kWarpRows = 16 * kUnits, kRows = kWarps * kWarpRows;
    static constexpr bool kShared = Shared_;
    /// The warp's first row among the block's.
    __device__ static int warp_row() { return static_cast<int>(threadIdx.x) / 32 * kWarpRows; }
};

/// The rows that belong to a block, `first` (the block's first) and on.
template <Products P, int K, class Sizes>
struct OwnRows {
    using E = FlashOperand<P>;
    using Kind = std::conditional_t<Sizes::kShared, SharedRows<P, K>, KeptRows<P, K, Sizes::kUnits>>;
    static constexpr int kLd = kOperandLd<P, K>, kNumbers = Sizes::kShared ? Sizes::kRows * kLd : 0;

    /// Starts their copy to `place`, where they are to be there.
    __device__ static void start(E* place, const HeadRows<E>& rows, int first, int count) {
        if constexpr (Sizes::kShared) copy_rows_async<P, K, Sizes::kRows, Sizes::kThreads>(place, rows, first, count);
    }
    /// The warp's of them.
    __device__ __forceinline__ static Kind of_warp(const E* place, const HeadRows<E>& rows, int first, int count) {
        if constexpr (Sizes::kShared) {
            return {place + Sizes::warp_row() * kLd};
        } else {
            Kind kept;
            kept.load(rows, first + Sizes::warp_row(), count);
            return kept;
        }
    }
};

/// Units of 16 rows, Count tiles of 16 columns.
template <int Units, int Count>
using Tiles = WarpTile<float>[Units][Count];

/// scores(i, j) = Σ_c own(i, c) other[j][c].
template <Products P, int K, int Units, int Count, class Own>
__device__ __forceinline__ void find_scores(Tiles<Units, Count>& scores, const Own& own, const FlashOperand<P>* other) {
#pragma unroll
    for (int u = 0; u < Units; ++u)
#pragma unroll
        for (int n = 0; n < Count; ++n) scores[u][n] = {};
#pragma unroll
    for (int k = 0; k < K / 16; ++k) {
        OwnSide<P> a[Units];
#pragma unroll
        for (int u = 0; u < Units; ++u) a[u] = own.get(u, k);
#pragma unroll
        for (int n = 0; n < Count; ++n) {
            WarpTile<float>* sums[Units];
#pragma unroll
            for (int u = 0; u < Units; ++u) sums[u] = &scores[u][n];
            multiply_add<P, Units>(sums, a, other_rows<P, K>(other + 16 * n * kOperandLd<P, K> + 16 * k));
        }
    }
}

/// sums(i, c) += Σ_j weights(i, j) rows[j][c].
template <Products P, int K, int Units, int Count>
__device__ __forceinline__ void add_weighed(Tiles<Units, K / 16>& sums, const Tiles<Units, Count>& weights,
                                            const FlashOperand<P>* rows) {
#pragma unroll
    for (int n = 0; n < Count; ++n) {
        OwnSide<P> a[Units];
#pragma unroll
        for (int u = 0; u < Units; ++u) a[u] = own_results<P>(weights[u][n]);
#pragma unroll
        for (int c = 0; c < K / 16; ++c) {
            WarpTile<float>* to[Units];
#pragma unroll
            for (int u = 0; u < Units; ++u) to[u] = &sums[u][c];
            multiply_add<P, Units>(to, a, other_columns<P, K>(rows + 16 * n * kOperandLd<P, K> + 16 * c));
        }
    }
}

/// body(column, half of the rows, element) for the lane's elements of a unit's tiles.
template <int Count, class Body>
__device__ __forceinline__ void each_element(WarpTile<float> (&tiles)[Count], const Body& body) {
#pragma unroll
    for (int n = 0; n < Count; ++n)
#pragma unroll
        for (int e = 0; e < kEighths; ++e)
#pragma unroll
            for (int x = 0; x < 4; ++x) body(16 * n + 8 * e + 2 * lane_place() + x % 2, x / 2, tiles[n].sum[e][x]);
}

/// body(column, half of the rows, first, second) for the elements of two such.
template <int Count, class Body>
__device__ __forceinline__ void each_pair_of_tiles(WarpTile<float> (&first)[Count], WarpTile<float> (&second)[Count],
                                                   const Body& body) {
#pragma unroll
    for (int n = 0; n < Count; ++n)
#pragma unroll
        for (int e = 0; e < kEighths; ++e)
#pragma unroll
            for (int x = 0; x < 4; ++x)
                body(16 * n + 8 * e + 2 * lane_place() + x % 2, x / 2, first[n].sum[e][x], second[n].sum[e][x]);
}

/// Where results go: rows of activations, stored in float or bf16, in pairs where all rows allow that.
struct ResultRows {
    std::byte* data;
    std::int64_t replica, row;  // elements between two
    bool stored, pairs;

    __device__ __forceinline__ void put(std::int64_t at, float first, float second) const {
        if (stored) {
            Bf16* to = reinterpret_cast<Bf16*>(data) + at;
            if (pairs)
                store_vector(to, Vector<float, 2>{first, second});
            else
                to[0] = first, to[1] = second;
        } else {
            float* to = reinterpret_cast<float*>(data) + at;
            if (pairs)
                store_vector(to, Vector<float, 2>{first, second});
            else
                to[0] = first, to[1] = second;
        }
    }
};

/// Rows first + (0 … 16·Units) of a head that has `count` ← factor · sums; `at`: element of the head's row 0.
template <int K, int Units>
__device__ __forceinline__ void put_rows(const ResultRows& to, std::int64_t at, int first, int count,
                                         const Tiles<Units, K / 16>& sums, float factor) {
#pragma unroll
    for (int u = 0; u < Units; ++u)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = first + 16 * u + 8 * half + lane_row();
            if (row >= count) continue;
            const std::int64_t own = at + row * to.row + 2 * lane_place();
#pragma unroll
            for (int c = 0; c < K / 16; ++c)
#pragma unroll
                for (int e = 0; e < kEighths; ++e) {
                    const float(&sum)[4] = sums[u][c].sum[e];
                    to.put(own + 16 * c + 8 * e, factor * sum[2 * half], factor * sum[2 * half + 1]);
                }
        }
}

template <int Units, int Count>
__device__ __forceinline__ void clear(Tiles<Units, Count>& tiles) {
#pragma unroll
    for (auto& unit : tiles)
#pragma unroll
        for (auto& tile : unit) tile = {};
}

/// The same turned back by the rows' positions: channels c and c + K/2 are the same lane's. Without tables: as they
/// are.
template <int K, int Units>
__device__ __forceinline__ void put_turned_back(const ResultRows& to, std::int64_t at, int first, int count,
                                                Tiles<Units, K / 16>& sums, float factor, const float* sin,
                                                const float* cos) {
    constexpr int half_tiles = K / 32;
    if (sin != nullptr)
#pragma unroll
        for (int u = 0; u < Units; ++u)
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const int row = least_of(first + 16 * u + 8 * half + lane_row(), count - 1);
                const int angles = row * (K / 2) + 2 * lane_place();
#pragma unroll
                for (int c = 0; c < half_tiles; ++c)
#pragma unroll
                    for (int e = 0; e < kEighths; ++e)
#pragma unroll
                        for (int x = 0; x < 2; ++x) {
                            float &one = sums[u][c].sum[e][2 * half + x],
                                  &two = sums[u][c + half_tiles].sum[e][2 * half + x];
                            const int angle = angles + 16 * c + 8 * e + x;
                            const auto back = numerics::rotate_back<float>({one, two}, cos[angle], sin[angle]);
                            one = back.x;
                            two = back.y;
                        }
            }
    put_rows<K, Units>(to, at, first, count, sums, factor);
}

}  // namespace whorl::gpu
