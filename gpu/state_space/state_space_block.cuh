// One head of one sequence of the Mamba-3 layer on one block of threads: see state_space.cuh.
#pragma once

#include "gpu/state_space/state_space_memory.cuh"
#include "gpu/state_space/state_space_terms.cuh"
#include "gpu/tiles/stored_rows.cuh"

namespace whorl::gpu {

/// What forward and backward share: one head's chunk made ready for the scan.
template <class T, class S, class Scan, class Sizes>
struct HeadBlock {
    const LayerShape<Sizes>& s;
    const StateSpaceViews<T, S>& in;
    LayerMemory<T>& x;
    Scan& scan;
    std::int64_t r, first_row;  // of the sequence among the replica's
    int h;

    __device__ int time(int i) const { return scan.begin + i; }
    template <class X>
    __device__ X* at(const View<X>& tensor, int t) const {
        return tensor.row(r, first_row + t);
    }
    __device__ int group() const { return h / (s.heads / s.groups); }
    /// In the block's memory the channels that turn together are neighbours: the projection's channel at place n.
    __device__ int channel(int n) const {
        if (s.neighbours || s.angles == 0) return n;
        const int half = s.state / 2;
        if (n < 2 * s.angles) return n / 2 + n % 2 * half;
        return n < half + s.angles ? n - s.angles : n;
    }
    /// Where B's (or C's) channels of a rank begin in a row of xbc.
    __device__ int bc_offset(bool second, int rank) const {
        return s.heads * s.headdim + ((second ? s.rank : 0) + rank) * s.groups * s.state + group() * s.state;
    }

    __device__ int angle_ld() const { return LayerMemory<T>::angle_ld(s.angles); }

    /// Starts the copies of the chunk's rows, raw: B, C where k, q will be, x where v will be, z and the angles.
    __device__ void fetch(int chunk) {
        scan.enter(chunk);
        const int t = scan.begin, n_ld = scan.s.n_ld();
        for (int rank = 0; rank < s.rank; ++rank) {
            const S* row = at(in.xbc, t);
            fetch_channels(scan.k + rank * n_ld, row + bc_offset(false, rank));
            fetch_channels(scan.q + rank * n_ld, row + bc_offset(true, rank));
        }
        fetch_head(scan.positions, s.mimo ? x.raw_x : scan.v, at(in.xbc, t) + h * s.headdim, in.xbc.stride2);
        if (s.gate.on) fetch_head(scan.positions, x.z, at(in.z, t) + h * s.headdim, in.z.stride2);
        if (s.rotation == Rotation::data_dependent) {
            const T* velocity = at(in.velocity, t);
            spread(scan.positions, s.angles,
                   [&](int i, int j) { copy_async(x.cos + i * angle_ld() + j, velocity + i * s.angles + j); });
        }
    }
    /// Rows of the head's own channels: of what forward kept, and of activations, which wait as they are stored.
    template <class X>
    __device__ __forceinline__ void fetch_head(int rows, T* to, const X* from, std::int64_t stride) const {
        copy_stored_rows(rows, s.headdim, to, scan.s.p_ld(), from, stride);
    }
    __device__ const S* stored_head(const T* rows, int position) const {
        return stored_row<S>(rows + position * scan.s.p_ld(), s.headdim);
    }
    /// B and C are side by side in the block's memory as they are in the projection.
    __device__ bool in_order() const { return s.neighbours || s.angles == 0; }
    __device__ __forceinline__ void fetch_channels(T* to, const S* from) const {
        const int ld = s.rank * scan.s.n_ld();
        if (in_order())
            copy_stored_rows(scan.positions, s.state, to, ld, from, in.xbc.stride2);
        else
            gather_stored_rows(scan.positions, s.state, to, ld, from, in.xbc.stride2,
                               [&](int n) { return channel(n); });
    }
    /// Of the rows that have come those that are multiplied.
    __device__ __forceinline__ void widen() const {
        if (in_order())
#pragma unroll 1
            for (int pass = 0; pass < 2; ++pass) widen_rows(scan.m, s.state, pass ? scan.q : scan.k, scan.s.n_ld());
        if (!s.mimo) widen_rows(scan.positions, s.headdim, scan.v, scan.s.p_ld());
    }

    /// From the copied rows to what the scan reads. `first_position`: index of the sequence's first position.
    __device__ void prepare(std::int64_t first_position) {
        coefficients();
        wait_for_copies();
        if constexpr (sizeof(S) < sizeof(T)) widen();
        scan.decay_sums();
        phases(first_position);
        if (s.mimo)
            spread(scan.m, s.headdim, [&](int i, int p) {
                scan.v[i * scan.s.p_ld() + p] =
                    stored_head(x.raw_x, s.position_of(i))[p] * in.mimo_x.at(r, h, s.rank_of(i))[p];
            });
        __syncthreads();
        scan.pair_decays();
#pragma unroll 1
        for (int pass = 0; pass < 2; ++pass) {
            const bool second = pass == 1;
            const View<T>&norm = second ? in.c_norm : in.b_norm, &bias = second ? in.c_bias : in.b_bias;
            const T *weight = norm ? norm.at(r) : nullptr, *shifts = bias ? bias.at(r, h) : nullptr;
            T* rows = second ? scan.q : scan.k;
            spread_groups(scan.m, [&](int i, int lane) {
                turn_row(i, lane, weight, shifts ? shifts + s.rank_of(i) * s.state : nullptr, rows);
            });
        }
        __syncthreads();
    }

    __device__ void coefficients() {
        spread(scan.positions + (scan.last() ? 0 : 1), [&](int i) {
            const Step<T> step = step_of(s, raw_step(s, in, r, first_row + time(i), h));
            x.dt[i] = step.dt;
            x.a[i] = step.a;
            x.lambda[i] = step.lambda;
            const auto weights = numerics::exp_trapezoid_scan(step.dt, step.a, step.lambda);
            scan.log_decay[i] = weights.log_decay;
            scan.gamma[i] = weights.gamma;
            scan.carry[i] = weights.carry;
        });
    }
    /// sin, cos [C,S] of the cumulative angles, x.phase ← that at the chunk's end. A warp an angle, two positions a
    /// lane.
    __device__ void phases(std::int64_t first_position) {
        const int n = s.angles, lane = static_cast<int>(threadIdx.x) % 32;
        for (int j = static_cast<int>(threadIdx.x) / 32; j < n; j += kBlockThreads / 32) {
            auto before = numerics::turn_of(x.phase[j]);
            for (int base = 0; base < scan.positions; base += 64) {
                const int i = base + 2 * lane;
                if (s.rotation == Rotation::data_dependent) {
                    const auto first = step_turn(i, j), both = first + step_turn(i + 1, j);
                    const auto end = before + sum_up_to_lane(both);
                    keep_turn(i, j, numerics::sincos_of(end - both + first));
                    keep_turn(i + 1, j, numerics::sincos_of(end));
                    before = __shfl_sync(0xffffffffU, end, 31);
                } else {
                    keep_turn(i, j, numerics::sincos(numerics::rope_angle<T>(first_position + time(i), j, n)));
                    keep_turn(i + 1, j, numerics::sincos(numerics::rope_angle<T>(first_position + time(i + 1), j, n)));
                }
            }
            __syncwarp();  // all lanes have read it
            if (lane == 0) x.phase[j] = numerics::angle_of<T>(before);
        }
    }
    /// θΔ of a position; x.cos holds θ.
    __device__ numerics::Turn<T> step_turn(int i, int j) const {
        return i < scan.positions ? numerics::turn_of(x.cos[i * angle_ld() + j], x.dt[i]) : 0;
    }
    __device__ void keep_turn(int i, int j, const numerics::SinCos<T>& turn) const {
        if (i >= scan.positions) return;
        x.sin[i * angle_ld() + j] = turn.sin;
        x.cos[i * angle_ld() + j] = turn.cos;
    }

    /// Row i of B or C, raw on entry: RMSNorm·w + bias, then the rotation. Eight lanes, each with every eighth pair; i
    /// < 0: nothing to do but the sum.
    __device__ __forceinline__ void turn_row(int i, int lane, const T* weight, const T* shift, T* rows) const {
        T* row = rows + i * scan.s.n_ld();
        T square = 0;
        if (weight) {
            for (int place = 2 * lane; i >= 0 && place < s.state; place += 2 * kGroupLanes) {
                const auto pair = pair_at(row, place);
                square += pair.x * pair.x;
                if (place + 1 < s.state) square += pair.y * pair.y;
            }
            square = group_sum(square);
        }
        if (i < 0) return;
        const T scale =
            weight ? numerics::inverse_rms(square, static_cast<T>(s.state), static_cast<T>(s.epsilon)) : T(1);
        const T *cos = x.cos + s.position_of(i) * angle_ld(), *sin = x.sin + s.position_of(i) * angle_ld();
        for (int place = 2 * lane; place < s.state; place += 2 * kGroupLanes) {
            auto pair = pair_at(row, place);
            const int first = channel(place), second = place + 1 < s.state ? channel(place + 1) : first;
            if (weight) pair = {pair.x * (scale * weight[first]), pair.y * (scale * weight[second])};
            if (shift) pair = {pair.x + shift[first], pair.y + shift[second]};
            if (place < 2 * s.angles) pair = numerics::rotate(pair, cos[place / 2], sin[place / 2]);
            store_vector(row + place, Vector<T, 2>{pair.x, pair.y});
        }
    }
    /// Elements place (even) and place + 1 of a row in the block's memory; the latter may be the row's padding.
    __device__ static numerics::Pair<float> pair_at(const float* row, int place) {
        const float2 pair = *reinterpret_cast<const float2*>(row + place);
        return {pair.x, pair.y};
    }
    __device__ static numerics::Pair<double> pair_at(const double* row, int place) {
        const double2 pair = *reinterpret_cast<const double2*>(row + place);
        return {pair.x, pair.y};
    }

    // ---- skip, norm and gate of channel p of row i (position, rank): out = norm(y + D x) ⊙ silu(z) in some order

    __device__ T skip(T y, int i, int p) const {
        return y + in.d.at(r)[h] * scan.v[i * scan.s.p_ld() + p];
    }
    __device__ T raw_gate(int i, int p) const {
        return stored_head(x.z, s.position_of(i))[p];
    }
    __device__ T gate(int i, int p) const {
        const T z = raw_gate(i, p);
        return in.mimo_z ? z * in.mimo_z.at(r, h, s.rank_of(i))[p] : z;
    }
    __device__ T norm_weight(int p) const {
        return in.norm.at(r)[h * s.headdim + p];
    }
    __device__ bool normed() const {
        return gpu::normed(s.gate);
    }

    /// x.row_scale[i] = 1/rms of each row; y(i, p) is the scan's output.
    template <class Y>
    __device__ void gate_scales(const Y& y) const {
        spread_rows(scan.m, [&](int i, int lane) {
            T square = 0;
            for (int p = lane; p < s.headdim; p += 32) {
                const T skipped = skip(y(i, p), i, p);
                const T value = normed_value(s.gate, skipped, normed() ? gate(i, p) : T(0));
                square += value * value;
            }
            square = warp_sum(square);
            if (lane == 0)
                x.row_scale[i] = numerics::inverse_rms(square, static_cast<T>(s.headdim), static_cast<T>(s.epsilon));
        });
    }
    __device__ T gated(T skipped, int i, int p) const {
        if (!s.gate.on) return skipped;
        return gpu::gated(s.gate, skipped, gate(i, p), normed() ? x.row_scale[i] : T(1),
                          normed() ? norm_weight(p) : T(1));
    }
};

}  // namespace whorl::gpu
