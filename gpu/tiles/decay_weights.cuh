// The decay between any two positions of a chunk, for scans whose state decays by one number a position.
#pragma once

#include "core/numerics/activations.hpp"
#include "gpu/tiles/tile_product.cuh"

namespace whorl::gpu {

/// from_start[i] = e^{Σ a over the chunk up to i}, to_end[i] = e^{Σ a behind i}, by the first two warps; no barrier at
/// the end.
template <class T>
__device__ void chunk_decays(int positions, const T* log_decay, T* from_start, T* to_end) {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    if (warp == 0) {
        T before = 0;
#pragma unroll 1
        for (int base = 0; base < positions; base += 32) {
            const int i = base + lane;
            const T sum = before + sum_up_to_lane(i < positions ? log_decay[i] : T(0));
            if (i < positions) from_start[i] = numerics::exp(sum);
            before = __shfl_sync(0xffffffffU, sum, 31);
        }
    } else if (warp == 1) {
        T behind = 0;
#pragma unroll 1
        for (int base = (positions - 1) / 32 * 32; base >= 0; base -= 32) {
            const int i = base + lane;
            const T own = i < positions ? log_decay[i] : T(0);
            const T sum = behind + sum_behind_lane(own);
            if (i < positions) to_end[i] = numerics::exp(sum);
            behind = __shfl_sync(0xffffffffU, sum + own, 0);
        }
    }
}

/// e^{Λ_i-Λ_j} of every pair in a chunk, as products of decays, never as differences of Λ, which would lose digits:
/// pairs of one stretch of 16 positions from a table, others as head · (stretches between) · tail.
template <class T>
struct DecayWeights {
    static constexpr int kStretch = 16;

    __host__ __device__ DecayWeights(BlockMemory& memory, int chunk)
        : stretches((chunk + kStretch - 1) / kStretch),
          table(memory.take<T>(chunk * kStretch)),
          between(memory.take<T>(stretches * stretches)),
          decay(memory.take<T>(chunk)),
          head(memory.take<T>(chunk)),
          tail(memory.take<T>(chunk)) {}

    int stretches;
    T *table, *between;      // [C, 16], [stretches, stretches]
    T *decay, *head, *tail;  // [C]: e^{a_i}; from the stretch's start up to i; behind i to the stretch's end

    /// decay, head and tail; no barrier at the end.
    __device__ void ends(int positions, const T* log_decay) {
        constexpr int first_warp = 4, warps = kBlockThreads / 32 - first_warp;
        const int warp = static_cast<int>(threadIdx.x) / 32 - first_warp, lane = static_cast<int>(threadIdx.x) % 32;
        if (warp < 0) return;
#pragma unroll 1
        for (int base = 32 * warp; base < positions; base += 32 * warps) {
            const int i = base + lane;
            const T own = i < positions ? log_decay[i] : T(0);
            const T up_to = sum_up_to_lane(own, kStretch), behind = sum_behind_lane(own, kStretch);
            if (i >= positions) continue;
            decay[i] = numerics::exp(own);
            head[i] = numerics::exp(up_to);
            tail[i] = numerics::exp(behind);
        }
    }
    /// The rest; no barrier at the end.
    __device__ void pairs(int positions) {
        spread(positions, [&](int j) {
            const int start = j / kStretch * kStretch;
            T weight = 1;
#pragma unroll
            for (int x = 1; x < kStretch; ++x)
                if (start + x > j && start + x < positions)
                    table[(start + x) * kStretch + j - start] = weight *= decay[start + x];
        });
        spread_from(2, stretches, [&](int j) {
            T weight = 1;
            for (int i = j + 1; i < stretches; ++i) {
                between[i * stretches + j] = weight;
                weight *= head[least_of((i + 1) * kStretch, positions) - 1];
            }
        });
    }
    /// For j < i.
    __device__ T operator()(int i, int j) const {
        const int to = i / kStretch, from = j / kStretch;
        return to == from ? table[i * kStretch + j % kStretch] : head[i] * between[to * stretches + from] * tail[j];
    }
};

/// The weights of a lane's elements sum[n][x] of one tile (tile_product.cuh) whose rows are positions. Two stretches
/// make an outer product.
template <class T>
struct TileWeights {
    static_assert(kTileRows == DecayWeights<T>::kStretch && kTileColumns == kTileRows);

    __device__ __forceinline__ TileWeights(const DecayWeights<T>& weights, int row_, int column_, int positions)
        : table(weights.table), diagonal(row_ == column_) {
        const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
        if (diagonal) return;
        const T between = weights.between[row_ / kTileRows * weights.stretches + column_ / kTileRows];
#pragma unroll
        for (int half = 0; half < 2; ++half)
            row[half] = weights.head[least_of(row_ + g + 8 * half, positions - 1)] * between;
#pragma unroll
        for (int n = 0; n < kEighths; ++n)
#pragma unroll
            for (int y = 0; y < 2; ++y) column[n][y] = weights.tail[column_ + 8 * n + 2 * t + y];
    }
    const T* table;
    bool diagonal;
    T row[2] = {}, column[kEighths][2] = {};

    /// Of the element at (i, j), j < i.
    __device__ __forceinline__ T operator()(int i, int j, int n, int x) const {
        return diagonal ? table[i * kTileRows + j % kTileRows] : row[x / 2] * column[n][x % 2];
    }
};

}  // namespace whorl::gpu
