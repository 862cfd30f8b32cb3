// Skip, norm and gate of ranked_strips.cuh backwards, before the scan: the gradient of the layer's output becomes that
// of each rank's rows of the scan's, with the gate's own gradient and the sums of D, mimo_z, mimo_o and the norm's
// weight. A block has one head of one sequence; a warp some positions at a time, a lane two channels of each, first all
// positions of one rank, then those of the next, so that a rank's sums are one register each.
#pragma once

#include "gpu/state_space/ranked_strips.cuh"
#include "gpu/state_space/state_space_memory.cuh"

namespace whorl::gpu {

constexpr int kGateWarps = 8, kGatePositions = 4;  // positions of a lane at a time

template <class S, class E, int Headdim>
struct RankedGate {
    using Pair = numerics::Pair<float>;
    static constexpr int kLanes = Headdim / 2,
                         kAtOnce = 32 / kLanes;             // of a position; positions of a warp side by side
    static constexpr int kStep = kGatePositions * kAtOnce;  // of a warp

    const RankedShape& s;
    const RankedViews<S>& in;
    const StateSpaceViews<float, S>& gradient;
    View<S> d_out;
    const E* scanned;  // [L,R,P]: the scan's output
    E* d_rows;         // [L,R,P]: its gradient
    float* warps;      // [warp][3][lane's two] of all ranks: see of_rank()
    std::int64_t r, first_row;
    int h, length;
    float sum_d = 0;

    __device__ static int p() { return 2 * (lane_index() % kLanes); }
    __device__ const S* at(const View<S>& tensor, int t) const {
        return tensor.row(r, first_row + t) + h * Headdim + p();
    }
    __device__ Pair mixed(const View<float>& mix, int rank, Pair x) const {
        if (!mix) return x;
        const auto by = load_pair(mix.at(r, h, rank) + p());
        return {x.x * by.x, x.y * by.y};
    }
    /// Over the lanes of a position.
    __device__ static float position_sum(float value) {
#pragma unroll
        for (int distance = kLanes / 2; distance > 0; distance /= 2)
            value += __shfl_xor_sync(0xffffffffU, value, distance);
        return value;
    }

    /// What positions have, the same for all ranks.
    struct Positions {
        Pair d[kGatePositions], z[kGatePositions], x[kGatePositions], d_z[kGatePositions];
    };
    /// Sums over positions of one rank.
    struct Sums {
        Pair o{}, z{}, norm{};
    };
    __device__ static int position(int first, int i) {
        return first + i * kAtOnce + lane_index() / kLanes;
    }

    __device__ __forceinline__ void run() {
        const int warp = static_cast<int>(threadIdx.x) / 32;
        for (int i = static_cast<int>(threadIdx.x); i < kGateWarps * 64 * rows_of_sums(s); i += 32 * kGateWarps)
            warps[i] = 0;
        __syncthreads();
#pragma unroll 1
        for (int first = warp * kStep; first < length; first += kGateWarps * kStep) {
            Positions of;
#pragma unroll
            for (int i = 0; i < kGatePositions; ++i) {
                const int t = least_of(position(first, i), length - 1);
                of.d[i] = load_pair(at(d_out, t), s.paired);
                of.x[i] = load_pair(at(in.xbc, t));
                of.z[i] = s.gate.on ? load_pair(at(in.z, t)) : Pair{};
                of.d_z[i] = {};
            }
            Rows rows = load_rows(first, 0);
#pragma unroll 1
            for (int rank = 0; rank < s.rank; ++rank) {
                const Rows next = load_rows(first, least_of(rank + 1, s.rank - 1));  // on its way meanwhile
                one_rank(of, rows, first, rank);
                rows = next;
            }
            if (gradient.z)
#pragma unroll
                for (int i = 0; i < kGatePositions; ++i)
                    if (const int t = position(first, i); t < length)
                        store_pair(gradient.z.row(r, first_row + t) + h * Headdim + p(), of.d_z[i], s.paired);
        }
    }
    __host__ __device__ static int rows_of_sums(const RankedShape& s) {
        return 2 * s.rank + 1;
    }
    /// Where a lane keeps its two numbers of a row of sums: mimo_o of each rank, mimo_z of each rank, the norm's
    /// weight.
    __device__ float* sums_at(int row) const {
        return warps + (row * kGateWarps + static_cast<int>(threadIdx.x) / 32) * 64 + 2 * lane_index();
    }
    __device__ void add(int row, Pair sum) const {
        float* const to = sums_at(row);
        to[0] += sum.x, to[1] += sum.y;
    }

    /// The scan's output of one rank, at the lane's positions.
    struct Rows {
        StoredTwo<E> y[kGatePositions];
    };
    __device__ std::int64_t row_of(int first, int i, int rank) const {
        return (std::int64_t{least_of(position(first, i), length - 1)} * s.rank + rank) * Headdim + p();
    }
    __device__ __forceinline__ Rows load_rows(int first, int rank) const {
        Rows rows;
#pragma unroll
        for (int i = 0; i < kGatePositions; ++i)
            rows.y[i] = *reinterpret_cast<const StoredTwo<E>*>(scanned + row_of(first, i, rank));
        return rows;
    }
    __device__ __forceinline__ void one_rank(Positions& of, const Rows& rows, int first, int rank) {
        const float d_skip = in.d.at(r)[h];
        Sums sums;
#pragma unroll
        for (int i = 0; i < kGatePositions; ++i) {
            const int t = position(first, i);
            const bool there = t < length;
            const std::int64_t row = row_of(first, i, rank);
            const Pair y{rows.y[i][0], rows.y[i][1]}, input = mixed(in.mimo_x, rank, of.x[i]);
            const Pair skip{numerics::fma(d_skip, input.x, y.x), numerics::fma(d_skip, input.y, y.y)};
            const Pair gate = mixed(in.mimo_z, rank, of.z[i]), d = mixed(in.mimo_o, rank, of.d[i]);
            const auto [one, two] = slopes(skip, gate, d);
            if (!there) continue;
            store_vector(d_rows + row, Vector<float, 2>{{one.d_skip, two.d_skip}});
            sum_d = numerics::fma(one.d_skip, input.x, numerics::fma(two.d_skip, input.y, sum_d));
            const Pair back = mixed(in.mimo_z, rank, {one.d_gate, two.d_gate});
            of.d_z[i].x += back.x, of.d_z[i].y += back.y;
            add_products(sums.o, of.d[i], {one.out, two.out});
            add_products(sums.z, of.z[i], {one.d_gate, two.d_gate});
            sums.norm.x += one.d_weight, sums.norm.y += two.d_weight;
        }
        if (in.mimo_o) add(rank, sums.o), add(s.rank + rank, sums.z);
        if (normed(s.gate)) add(2 * s.rank, sums.norm);
    }
    __device__ static void add_products(Pair& sum, Pair a, Pair b) {
        sum.x = numerics::fma(a.x, b.x, sum.x), sum.y = numerics::fma(a.y, b.y, sum.y);
    }
    struct TwoSlopes {
        GateSlopes<float> one, two;
    };
    __device__ __forceinline__ TwoSlopes slopes(Pair skip, Pair gate, Pair d) const {
        if (!normed(s.gate))
            return {gate_slopes(s.gate, skip.x, d.x, gate.x), gate_slopes(s.gate, skip.y, d.y, gate.y)};
        const Pair weight = load_pair(in.norm.at(r) + h * Headdim + p());
        const float first = normed_value(s.gate, skip.x, gate.x), second = normed_value(s.gate, skip.y, gate.y);
        const float scale = numerics::inverse_rms(position_sum(numerics::fma(first, first, second * second)),
                                                  static_cast<float>(Headdim), static_cast<float>(s.epsilon));
        const float out = numerics::fma(d.x, gated(s.gate, skip.x, gate.x, scale, weight.x),
                                        d.y * gated(s.gate, skip.y, gate.y, scale, weight.y));
        const float pull = position_sum(out) / static_cast<float>(Headdim);
        return {gate_slopes(s.gate, skip.x, d.x, gate.x, scale, weight.x, pull),
                gate_slopes(s.gate, skip.y, d.y, gate.y, scale, weight.y, pull)};
    }

    /// The head's sums, those of the warps and of their lanes side by side added in order.
    __device__ __forceinline__ void leave_sums(float* to) const {
        const SumLayout layout(s);
        float* const scalars = warps + kGateWarps * 64 * rows_of_sums(s);
        const float d = warp_sum(sum_d);
        if (lane_index() == 0) scalars[threadIdx.x / 32] = d;
        __syncthreads();
        if (threadIdx.x == 0) {
            float total = 0;
            for (int warp = 0; warp < kGateWarps; ++warp) total += scalars[warp];
            to[1] = total;
        }
        for (int i = static_cast<int>(threadIdx.x); i < rows_of_sums(s) * Headdim; i += 32 * kGateWarps) {
            const int row = i / Headdim, channel = i % Headdim;
            float total = 0;
            for (int warp = 0; warp < kGateWarps; ++warp)
                for (int side = 0; side < kAtOnce; ++side)
                    total += warps[(row * kGateWarps + warp) * 64 + side * Headdim + channel];
            if (row == 2 * s.rank)
                to[layout.norm() + channel] = total;
            else if (s.mimo)
                to[(row < s.rank ? layout.mimo_o() : layout.mimo_z()) + row % s.rank * Headdim + channel] = total;
        }
    }
};

template <class S, class E, int Headdim>
__global__ void __launch_bounds__(32 * kGateWarps)
    ranked_gate_kernel(const __grid_constant__ RankedShape s, const __grid_constant__ RankedViews<S> in, View<S> d_out,
                       const __grid_constant__ StateSpaceViews<float, S> gradient, const std::byte* saved, E* d_rows,
                       float* sums) {
    const HeadOfSequence place = head_of_block(s.heads, blockIdx.y);
    const std::int64_t task = place.index(s.batch, s.heads);
    RankedGate<S, E, Headdim> gate{s,
                                   in,
                                   gradient,
                                   d_out,
                                   reinterpret_cast<const E*>(saved + task * RankedLayout(s, sizeof(E)).head),
                                   d_rows + task * s.length * s.rank * Headdim,
                                   reinterpret_cast<float*>(dynamic_shared()),
                                   place.r,
                                   s.sequences.first_row(place.r, place.b),
                                   place.h,
                                   s.sequences.length_of(place.r, place.b)};
    gate.run();
    gate.leave_sums(sums + task * SumLayout(s).count());
}

/// Leaves the gradient of the scan's output in d_rows, [task][L,R,P].
template <class S, class E>
void ranked_gate_backward(const CudaBackend& backend, const RankedShape& s, const RankedViews<S>& in,
                          const View<S>& d_out, const StateSpaceViews<float, S>& gradient, const std::byte* saved,
                          E* d_rows, float* sums) {
    const auto with = [&](auto headdim) {
        constexpr int P = decltype(headdim)::value;
        const int numbers = kGateWarps * 64 * RankedGate<S, E, P>::rows_of_sums(s) + kGateWarps;
        launch("state_space_backward", ranked_gate_kernel<S, E, P>,
               dim3(grid_size(s.batch * s.heads), grid_size(s.replicas)), dim3(32 * kGateWarps),
               static_cast<std::size_t>(numbers) * sizeof(float), backend.stream(), s, in, d_out, gradient, saved,
               d_rows, sums);
    };
    if (s.headdim == 16) return with(std::integral_constant<int, 16>{});
    if (s.headdim == 32) return with(std::integral_constant<int, 32>{});
    with(std::integral_constant<int, 64>{});
}

}  // namespace whorl::gpu
