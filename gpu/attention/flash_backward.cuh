// Backward: one kernel whose blocks own queries and find dq, one whose blocks own keys and find dk and dv. Both make
// the weights p again from the scores and what forward saved of them.
//
//     of queries, keys and values pass by      scores = q · keysᵀ        dp  = dy · valuesᵀ     dq += ds · keys
//     of keys, queries and slopes pass by      scoresᵀ = keys · qᵀ       dpᵀ = values · dyᵀ     dv += pᵀ · dy
//                                                                                               dk += dsᵀ · q
//
// Every left side is the warp's own: its rows, or the results of a product before.
#pragma once

#include "gpu/attention/flash.cuh"

namespace whorl::gpu {

/// Factors of a head: c of its scores, and of the gradients' sums.
template <Products P>
struct BackwardScales {
    float c, d_q, d_k, d_v, to_d_y, to_values;
    template <class E>
    __device__ BackwardScales(const FlashOperands<E>& in, const AttentionShape& s, const FlashTask& task, float score) {
        const auto of = [&](OperandName operand) { return in.template scale<P>(s, task, operand); };
        const OperandScale q = of(OperandName::q), keys = of(OperandName::keys), values = of(OperandName::values),
                           d_y = of(OperandName::d_y);
        c = kLog2E * score * q.back * keys.back;
        to_d_y = d_y.to;
        to_values = values.to * kSlopeScale<P>;
        const float slope = score * (1.0F / kSlopeScale<P>)*d_y.back * values.back;
        d_q = slope * keys.back;
        d_k = slope * q.back;
        d_v = d_y.back / (1 << kWeightBits<P>);
    }
    /// D as dp comes, times kSlopeScale. (One factor alone may not have the range of both.)
    __device__ __forceinline__ float mean(float d) const { return kScaled<P> ? d * to_d_y * to_values : d; }
};

template <Products P, int K, class Sizes>
struct FlashQueries {
    using E = FlashOperand<P>;
    using Passing = PassingRows<P, K, Sizes::kPassing, Sizes::kThreads>;
    using Own = OwnRows<P, K, Sizes>;
    static constexpr int kUnits = Sizes::kUnits, kCount = Sizes::kStep / 16;
    static constexpr int kBytes = Passing::kBytes + 2 * Own::kNumbers * static_cast<int>(sizeof(E));

    const FlashTask& task;
    const Passing& passing;
    int first;  // the warp's first query
    BackwardScales<P> scales;

    __device__ __forceinline__ void run(const typename Own::Kind& q, const typename Own::Kind& d_y,
                                        const float* log_sums, const float* means, const float* lifts, int keys,
                                        Tiles<kUnits, K / 16>& d_q) const {
        Row rows[kUnits][2];
#pragma unroll
        for (int u = 0; u < kUnits; ++u)
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const int row = least_of(first + 16 * u + 8 * half + lane_row(), task.length - 1);
                const float lift = kScaled<P> ? lifts[row] : 1.0F;
                rows[u][half] = {log_sums[row], kSlopeScale<P> * lift, lift * scales.mean(means[row]), lift};
            }
#pragma unroll 1
        for (int key = 0, part = 0; key < keys; key += Sizes::kPassing, ++part) {
            wait_for_copies();
            if (key + Sizes::kPassing < keys) passing.start(part + 1, key + Sizes::kPassing);
#pragma unroll 1
            for (int at = 0; at < Sizes::kPassing; at += Sizes::kStep) {
                if (key + at > first + Sizes::kWarpRows - 1) break;  // behind all that the warp's queries see
                const E *k = passing.first(part) + at * Passing::kLd, *v = passing.second(part) + at * Passing::kLd;
                Tiles<kUnits, kCount> scores, d_scores;
                find_scores<P, K, kUnits, kCount>(scores, q, k);
                find_scores<P, K, kUnits, kCount>(d_scores, d_y, v);
                find_slopes(scores, d_scores, rows, key + at);
                add_weighed<P, K, kUnits, kCount>(d_q, d_scores, k);
            }
        }
        if constexpr (kScaled<P>)
#pragma unroll
            for (int u = 0; u < kUnits; ++u)
                each_element(d_q[u], [&](int, int half, float& sum) { sum *= 1.0F / rows[u][half].lift; });
    }

private:
    /// A query's: its ds, which are its dq's alone, are lifted into the range of those of the head's largest dy.
    struct Row {
        float log_sum, slope, mean, lift;
    };
    /// dp becomes ds, zero where a query does not see a key.
    __device__ __forceinline__ void find_slopes(Tiles<kUnits, kCount>& scores, Tiles<kUnits, kCount>& d_scores,
                                                const Row (&rows)[kUnits][2], int key) const {
        const bool masked = key + Sizes::kStep - 1 > first;
#pragma unroll
        for (int u = 0; u < kUnits; ++u) {
            const int seen = first + 16 * u + lane_row() - key;  // the last column that is
            if (masked)
                each_element(scores[u], [&](int column, int half, float& score) {
                    if (column > seen + 8 * half) score = -numerics::detail::infinity<float>;
                });
            each_pair_of_tiles(scores[u], d_scores[u], [&](int, int half, float& score, float& d) {
                const Row& row = rows[u][half];
                d = power_of_two(numerics::fma(scales.c, score, -row.log_sum)) * numerics::fma(d, row.slope, -row.mean);
            });
        }
    }
};

template <Products P, int K, class Sizes>
__global__ void __launch_bounds__(Sizes::kThreads, Sizes::kBlocks)
    flash_queries_kernel(AttentionShape s, FlashOperands<FlashOperand<P>> in, ResultRows d_qkv, const float* sin,
                         const float* cos, int stretches) {
    using Queries = FlashQueries<P, K, Sizes>;
    using Own = typename Queries::Own;
    const FlashTask task(s, stretches);
    const int first = (stretches - 1 - task.turn) * Sizes::kRows, own = first + Sizes::warp_row();
    if (first >= task.length) return;
    const int seen = least_of(first + Sizes::kRows, task.length);  // keys
    const typename Queries::Passing passing{reinterpret_cast<FlashOperand<P>*>(dynamic_shared()), in.keys.of(s, task),
                                            in.values.of(s, task), seen};
    FlashOperand<P>* const place = passing.memory + Queries::Passing::kNumbers;
    const auto queries = in.q.of(s, task), slopes = in.d_y.of(s, task);
    Own::start(place, queries, first, task.length);
    Own::start(place + Own::kNumbers, slopes, first, task.length);
    passing.start(0, 0);
    const auto q = Own::of_warp(place, queries, first, task.length);
    const auto d_y = Own::of_warp(place + Own::kNumbers, slopes, first, task.length);
    Tiles<Sizes::kUnits, K / 16> d_q;
    clear(d_q);
    const BackwardScales<P> scales(in, s, task, score_factor<K>());
    Queries{task, passing, own, scales}.run(q, d_y, in.log_sums.of(s, task), in.means.of(s, task), in.lifts.of(s, task),
                                            seen, d_q);
    const std::int64_t at = task.r * d_qkv.replica + task.first_row * d_qkv.row + std::int64_t{task.h} * K;
    put_turned_back<K, Sizes::kUnits>(d_qkv, at, own, task.length, d_q, scales.d_q, sin, cos);
}

// ---- keys

/// The block's memory: what passes by, the facts of the queries among it, and the block's own keys and values.
///
///     [ passing queries and slopes, two places ][ l, D of each place ][ own keys | own values ]
template <Products P, int K, class Sizes>
struct KeysMemory {
    using E = FlashOperand<P>;
    using Passing = PassingRows<P, K, Sizes::kPassing, Sizes::kThreads>;
    static constexpr int kLd = kOperandLd<P, K>, kFacts = 4 * Sizes::kPassing;
    static constexpr int kBytes = Passing::kBytes + kFacts * static_cast<int>(sizeof(float)) +
                                  2 * Sizes::kRows * kLd * static_cast<int>(sizeof(E));

    std::byte* base;
    __device__ E* passing() const { return reinterpret_cast<E*>(base); }
    __device__ float* log_sums(int part) const {
        return reinterpret_cast<float*>(base + Passing::kBytes) + part % 2 * 2 * Sizes::kPassing;
    }
    __device__ float* means(int part) const { return log_sums(part) + Sizes::kPassing; }
    __device__ E* keys() const {
        return reinterpret_cast<E*>(base + Passing::kBytes + kFacts * static_cast<int>(sizeof(float)));
    }
    __device__ E* values() const { return keys() + Sizes::kRows * kLd; }
};

template <Products P, int K, class Sizes>
struct FlashKeys {
    using E = FlashOperand<P>;
    using Memory = KeysMemory<P, K, Sizes>;
    using Passing = typename Memory::Passing;
    static constexpr int kUnits = Sizes::kUnits, kCount = Sizes::kStep / 16;

    const Memory& memory;
    const Passing& passing;
    const float *log_sums, *means;  // of the head's queries
    int first, length;              // the warp's first key; of the sequence
    BackwardScales<P> scales;

    /// Starts the copy of queries [from, from + kPassing) and what belongs to them. One that is not there weighs
    /// nothing.
    __device__ __forceinline__ void start(int part, int from) const {
        passing.start(part, from);
        const int i = static_cast<int>(threadIdx.x);
        if (i >= Sizes::kPassing) return;
        if (from + i < length) {
            copy_async(memory.log_sums(part) + i, log_sums + from + i);
            copy_async(memory.means(part) + i, means + from + i);
        } else {
            memory.log_sums(part)[i] = numerics::detail::infinity<float>;
            memory.means(part)[i] = 0;
        }
    }
    __device__ __forceinline__ void run(int begin, Tiles<kUnits, K / 16>& d_k, Tiles<kUnits, K / 16>& d_v) const {
        const int own = Sizes::warp_row() * Memory::kLd;
        const SharedRows<P, K> keys{memory.keys() + own}, values{memory.values() + own};
#pragma unroll 1
        for (int query = begin, part = 0; query < length; query += Sizes::kPassing, ++part) {
            wait_for_copies();
            if (query + Sizes::kPassing < length) start(part + 1, query + Sizes::kPassing);
#pragma unroll 1
            for (int at = 0; at < Sizes::kPassing; at += Sizes::kStep) {
                if (query + at + Sizes::kStep - 1 < first) continue;  // before all of the warp's keys
                const E *q = passing.first(part) + at * Passing::kLd, *d_y = passing.second(part) + at * Passing::kLd;
                Tiles<kUnits, kCount> weights, slopes;
                find_scores<P, K, kUnits, kCount>(weights, keys, q);
                find_scores<P, K, kUnits, kCount>(slopes, values, d_y);
                find_weights(weights, slopes, memory.log_sums(part) + at, memory.means(part) + at, query + at);
                add_weighed<P, K, kUnits, kCount>(d_v, weights, d_y);
                add_weighed<P, K, kUnits, kCount>(d_k, slopes, q);
            }
        }
    }

private:
    /// Scores become p, dp becomes ds; zero where a query does not see a key.
    __device__ __forceinline__ void find_weights(Tiles<kUnits, kCount>& weights, Tiles<kUnits, kCount>& slopes,
                                                 const float* log_sum, const float* mean, int query) const {
        // p is 2^bits too large for ds
        constexpr float kPassedScale = kSlopeScale<P> / (1 << kWeightBits<P>);
        const bool masked = query < first + Sizes::kWarpRows - 1;
#pragma unroll
        for (int u = 0; u < kUnits; ++u) {
            const int seen = first + 16 * u + lane_row() - query;  // the first column that sees the lane's key
            if (masked)
                each_element(weights[u], [&](int column, int half, float& score) {
                    if (column < seen + 8 * half) score = -numerics::detail::infinity<float>;
                });
            each_pair_of_tiles(weights[u], slopes[u], [&](int column, int, float& p, float& d) {
                p = power_of_two(numerics::fma(scales.c, p, kWeightBits<P> - log_sum[column]));
                d = p * numerics::fma(d, kPassedScale, -scales.mean(mean[column]) / (1 << kWeightBits<P>));
            });
        }
    }
};

template <Products P, int K, class Sizes>
__global__ void __launch_bounds__(Sizes::kThreads, Sizes::kBlocks)
    flash_keys_kernel(AttentionShape s, FlashOperands<FlashOperand<P>> in, ResultRows d_qkv, const float* sin,
                      const float* cos, int stretches) {
    using Keys = FlashKeys<P, K, Sizes>;
    const FlashTask task(s, stretches);
    const int first = task.turn * Sizes::kRows, own = first + Sizes::warp_row();
    if (first >= task.length) return;
    const typename Keys::Memory memory{dynamic_shared()};
    const typename Keys::Passing passing{memory.passing(), in.q.of(s, task), in.d_y.of(s, task), task.length};
    copy_rows_async<P, K, Sizes::kRows, Sizes::kThreads>(memory.keys(), in.keys.of(s, task), first, task.length);
    copy_rows_async<P, K, Sizes::kRows, Sizes::kThreads>(memory.values(), in.values.of(s, task), first, task.length);
    const int begin = first / Sizes::kPassing * Sizes::kPassing;
    const BackwardScales<P> scales(in, s, task, score_factor<K>());
    const Keys keys{memory, passing, in.log_sums.of(s, task), in.means.of(s, task), own, task.length, scales};
    keys.start(0, begin);
    Tiles<Sizes::kUnits, K / 16> d_k, d_v;
    clear(d_k);
    clear(d_v);
    keys.run(begin, d_k, d_v);
    const std::int64_t at = task.r * d_qkv.replica + task.first_row * d_qkv.row + std::int64_t{task.h} * K;
    put_turned_back<K, Sizes::kUnits>(d_qkv, at + s.width(), own, task.length, d_k, scales.d_k, sin, cos);
    put_rows<K, Sizes::kUnits>(d_qkv, at + 2 * s.width(), own, task.length, d_v, scales.d_v);
}

}  // namespace whorl::gpu
