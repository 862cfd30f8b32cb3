// The decay between any two positions of a chunk, for scans whose state decays by one number a position.
#pragma once

#include "core/numerics/activations.hpp"
#include "gpu/block.cuh"

namespace whorl::gpu {

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

    __device__ static int start_of(int i) { return i / kStretch * kStretch; }

    /// decay, head and tail; no barrier at the end.
    __device__ void ends(int positions, const T* log_decay) {
        spread_from(4, positions, [&](int i) {
            T before = 0, behind = 0;
            for (int at = start_of(i); at <= i; ++at) before += log_decay[at];
            for (int at = least_of(start_of(i) + kStretch, positions) - 1; at > i; --at) behind += log_decay[at];
            decay[i] = numerics::exp(log_decay[i]);
            head[i] = numerics::exp(before);
            tail[i] = numerics::exp(behind);
        });
    }
    /// The rest; no barrier at the end.
    __device__ void pairs(int positions) {
        spread(positions, [&](int j) {
            T weight = 1;
            const int end = least_of(start_of(j) + kStretch, positions);
            for (int i = j + 1; i < end; ++i) table[i * kStretch + j % kStretch] = weight *= decay[i];
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

}  // namespace whorl::gpu
