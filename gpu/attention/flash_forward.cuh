// Forward: a block's queries stay in registers, keys and values pass by.
//
//     scores [queries, keys]   = q · keysᵀ          left: registers      right: rows of keys
//     y      [queries, K]     += p · values         left: the scores     right: columns of values
//
// The maximum of a query's scores, up to now, is taken out of the exponent; when it grows, the sums are scaled down.
#pragma once

#include "gpu/attention/flash.cuh"

namespace whorl::gpu {

template <int Units>
struct FlashSoftmax {
    float highest[Units][2], total[Units][2];  // total: of the lane's own columns

    __device__ FlashSoftmax() {
#pragma unroll
        for (int u = 0; u < Units; ++u)
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                highest[u][half] = -numerics::detail::infinity<float>;
                total[u][half] = 0;
            }
    }
    /// A unit's scores become 2^{c (s - highest) + Bits}; its sums are scaled to the new maximum. The first keys are
    /// seen by every query: no maximum stays infinite.
    template <int Bits, int Count, int Columns>
    __device__ __forceinline__ void add(int u, WarpTile<float> (&scores)[Count], WarpTile<float> (&sums)[Columns],
                                        float c) {
        float most[2] = {highest[u][0], highest[u][1]}, shift[2], factor[2];
        each_element(scores, [&](int, int half, float score) { most[half] = score > most[half] ? score : most[half]; });
#pragma unroll
        for (int half = 0; half < 2; ++half) {
#pragma unroll
            for (int distance = 1; distance <= 2; distance *= 2) {
                const float other = __shfl_xor_sync(0xffffffffU, most[half], distance);
                most[half] = other > most[half] ? other : most[half];
            }
            factor[half] = power_of_two(c * (highest[u][half] - most[half]));
            highest[u][half] = most[half];
            shift[half] = numerics::fma(c, most[half], -static_cast<float>(Bits));
            total[u][half] *= factor[half];
        }
        each_element(scores, [&](int, int half, float& score) {
            score = power_of_two(numerics::fma(c, score, -shift[half]));
            total[u][half] += score;
        });
        each_element(sums, [&](int, int half, float& sum) { sum *= factor[half]; });
    }
};

template <Products P, int K, class Sizes>
struct FlashForward {
    using E = FlashOperand<P>;
    using Passing = PassingRows<P, K, Sizes::kPassing, Sizes::kThreads>;
    static constexpr int kUnits = Sizes::kUnits, kCount = Sizes::kPassing / 16;
    using Own = OwnRows<P, K, Sizes>;
    static constexpr int kBytes = Passing::kBytes + Own::kNumbers * static_cast<int>(sizeof(E));

    const AttentionShape& s;
    const FlashTask& task;
    const Passing& passing;
    int first;      // the warp's first query
    float c, back;  // from scores to exponents; from sums of scaled values

    __device__ __forceinline__ void run(const typename Own::Kind& q, int keys, const ResultRows& y,
                                        const QueryNumbers& log_sums) const {
        FlashSoftmax<kUnits> softmax;
        Tiles<kUnits, K / 16> sums;
        clear(sums);
#pragma unroll 1
        for (int key = 0, part = 0; key < keys; key += Sizes::kPassing, ++part) {
            wait_for_copies();
            if (key + Sizes::kPassing < keys) passing.start(part + 1, key + Sizes::kPassing);
            if (key > s.earlier + first + Sizes::kWarpRows - 1) continue;  // behind all that the warp's queries see
            Tiles<kUnits, kCount> scores;
            find_scores<P, K, kUnits, kCount>(scores, q, passing.first(part));
            if (key + Sizes::kPassing - 1 > s.earlier + first) mask(scores, key);
#pragma unroll
            for (int u = 0; u < kUnits; ++u) softmax.template add<kWeightBits<P>>(u, scores[u], sums[u], c);
            add_weighed<P, K, kUnits, kCount>(sums, scores, passing.second(part));
        }
        finish(softmax, sums, y, log_sums);
    }

private:
    /// What a query does not see, for it lies ahead.
    __device__ __forceinline__ void mask(Tiles<kUnits, kCount>& scores, int key) const {
#pragma unroll
        for (int u = 0; u < kUnits; ++u) {
            const int seen = s.earlier + first + 16 * u + lane_row() - key;  // the last column that is
            each_element(scores[u], [&](int column, int half, float& score) {
                if (column > seen + 8 * half) score = -numerics::detail::infinity<float>;
            });
        }
    }
    __device__ __forceinline__ void finish(const FlashSoftmax<kUnits>& softmax, Tiles<kUnits, K / 16>& sums,
                                           const ResultRows& y, const QueryNumbers& log_sums) const {
#pragma unroll
        for (int u = 0; u < kUnits; ++u) {
            float inverse[2];
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const float total = tile_row_sum(softmax.total[u][half]);
                const int row = first + 16 * u + 8 * half + lane_row();
                inverse[half] = back / total;
                if (log_sums.data != nullptr && lane_place() == 0 && row < task.length)
                    log_sums.of(s, task)[row] =
                        numerics::fma(c, softmax.highest[u][half], kLog2E * numerics::log(total)) - kWeightBits<P>;
            }
            each_element(sums[u], [&](int, int half, float& sum) { sum *= inverse[half]; });
        }
        const std::int64_t at = task.r * y.replica + task.first_row * y.row + std::int64_t{task.h} * K;
        put_rows<K, kUnits>(y, at, first, task.length, sums, 1.0F);
    }
};

template <Products P, int K, class Sizes>
__global__ void __launch_bounds__(Sizes::kThreads, Sizes::kBlocks)
    flash_forward_kernel(AttentionShape s, FlashOperands<FlashOperand<P>> in, ResultRows y, int stretches) {
    using Forward = FlashForward<P, K, Sizes>;
    using Passing = typename Forward::Passing;
    using Own = typename Forward::Own;
    const FlashTask task(s, stretches);
    const int first = (stretches - 1 - task.turn) * Sizes::kRows;
    if (first >= task.length) return;
    const int seen = s.earlier + least_of(first + Sizes::kRows, task.length);  // keys
    const Passing passing{reinterpret_cast<FlashOperand<P>*>(dynamic_shared()), in.keys.of(s, task),
                          in.values.of(s, task), seen};
    FlashOperand<P>* const place = passing.memory + Passing::kNumbers;
    Own::start(place, in.q.of(s, task), first, task.length);
    passing.start(0, 0);
    const auto q = Own::of_warp(place, in.q.of(s, task), first, task.length);
    const float c = kLog2E * score_factor<K>() * in.template scale<P>(s, task, OperandName::q).back *
                    in.template scale<P>(s, task, OperandName::keys).back;
    Forward{s, task, passing, first + Sizes::warp_row(), c, in.template scale<P>(s, task, OperandName::values).back}
        .run(q, seen, y, in.log_sums);
}

}  // namespace whorl::gpu
