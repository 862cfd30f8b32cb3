// What the heads of a sequence share, B, C and θ, in the backward pass of state_space_strips.cuh: each head leaves its
// parts of a chunk's rows, and the block whose head comes last with them adds all, in the heads' order, and goes on
// through the norms. They are in the second-level cache then, and no kernel has to read them from memory again.
#pragma once

#include "gpu/last_block.cuh"
#include "gpu/state_space_strips.cuh"

namespace whorl::gpu {

/// A warp's rows of a chunk. kLanes lanes have a row of B or of C, four neighbours each.
template <class Kind>
struct StripSharedRows {
    using S = typename Kind::S;
    static constexpr int kState = Kind::kState, kLanes = kState / 4;
    static constexpr int kPasses = kLanes / 16;  // B and C side by side, or one after the other
    static constexpr int kAtOnce = 4;            // rows whose loads are on their way together
    static_assert(kPasses == 1 || kPasses == 2);

    const StateSpaceShape& s;
    const StateSpaceViews<float, S>&in, &gradient;
    const HeadParts<float>& parts;
    std::int64_t r, first_row;  // of the chunk among the replica's
    int own_row, positions;     // of the chunk

    /// norms: [2N] of the warp, for its terms of b_norm's and c_norm's gradients.
    __device__ __forceinline__ void add(float* norms) const {
#pragma unroll 1
        for (int pass = 0; pass < kPasses; ++pass) {
            const bool second = kPasses == 1 ? lane_index() >= kLanes : pass == 1;
            Pack<float, 4> terms{};
#pragma unroll 1
            for (int group = 0; group < s.groups; ++group) add_rows(second, group, terms);
            if (in.b_norm) store_pack(norms + (second ? kState : 0) + channel(), terms);
        }
        angles();
    }

private:
    __device__ static int channel() {
        return 4 * (lane_index() % kLanes);
    }
    /// Rows behind the chunk are its last: what comes of them is not written.
    __device__ std::int64_t row_at(int row) const {
        return first_row + least_of(row, positions - 1);
    }
    __device__ static void add_pack(Pack<float, 4>& sum, const float* from) {
        const float4 part = __ldcg(reinterpret_cast<const float4*>(from));
        sum.at[0] += part.x, sum.at[1] += part.y, sum.at[2] += part.z, sum.at[3] += part.w;
    }
    /// Sums over the lanes of a row.
    template <int Count>
    __device__ static void add_lanes_of_row(float (&x)[Count]) {
#pragma unroll
        for (int distance = kLanes / 2; distance > 0; distance /= 2)
#pragma unroll
            for (float& value : x) value += __shfl_xor_sync(0xffffffffU, value, distance);
    }

    __device__ __forceinline__ void add_rows(bool second, int group, Pack<float, 4>& terms) const {
        const int heads = s.heads / s.groups;
        const int column = s.heads * s.headdim + ((second ? s.groups : 0) + group) * kState + channel();
        const float* const first_part = (second ? parts.c : parts.b) + channel();
        const View<float>& norm = second ? in.c_norm : in.b_norm;
        const Pack<float, 4> weight = norm ? load_pack<4>(norm.at(r) + channel()) : Pack<float, 4>{};
#pragma unroll 1
        for (int base = own_row; base < own_row + kTileRows; base += kAtOnce) {
            Pack<float, 4> sums[kAtOnce] = {}, values[kAtOnce];
#pragma unroll
            for (int i = 0; i < kAtOnce; ++i) values[i] = load_four(in.xbc.row(r, row_at(base + i)) + column);
#pragma unroll 2
            for (int head = 0; head < heads; ++head)
#pragma unroll
                for (int i = 0; i < kAtOnce; ++i)
                    add_pack(sums[i], first_part + (s.head_rows(r, group * heads + head) + row_at(base + i)) * kState);
            if (norm) through_norm(sums, values, weight, base, terms);
#pragma unroll
            for (int i = 0; i < kAtOnce; ++i)
                if (base + i < positions) store_four(gradient.xbc.row(r, row_at(base + i)) + column, sums[i]);
        }
    }
    /// sums: gradients of normed rows → of the raw ones.
    __device__ __forceinline__ void through_norm(Pack<float, 4> (&sums)[kAtOnce],
                                                 const Pack<float, 4> (&values)[kAtOnce], const Pack<float, 4>& weight,
                                                 int base, Pack<float, 4>& terms) const {
        float totals[2 * kAtOnce] = {};  // of each row: squares, the gradient's projection
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const float value = values[i].at[e];
                totals[2 * i] = numerics::fma(value, value, totals[2 * i]);
                totals[2 * i + 1] = numerics::fma(sums[i].at[e] * weight.at[e], value, totals[2 * i + 1]);
            }
        add_lanes_of_row(totals);
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
            const float scale =
                numerics::inverse_rms(totals[2 * i], static_cast<float>(kState), static_cast<float>(s.epsilon));
            const float pull = totals[2 * i + 1] * scale * scale / static_cast<float>(kState);
            const bool there = base + i < positions;
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const float value = values[i].at[e], sum = sums[i].at[e];
                terms.at[e] = numerics::fma(there ? sum * value : 0, scale, terms.at[e]);
                sums[i].at[e] = scale * numerics::fma(sum, weight.at[e], -(value * pull));  // see gate_slopes()
            }
        }
    }
    /// Rows are of pairs, not of fours.
    __device__ static Pack<float, 4> load_four(const S* from) {
        const auto first = load_pack<2>(from), second = load_pack<2>(from + 2);
        return {{first.at[0], first.at[1], second.at[0], second.at[1]}};
    }
    __device__ static void store_four(S* to, const Pack<float, 4>& x) {
        store_pack(to, Pack<float, 2>{{x.at[0], x.at[1]}});
        store_pack(to + 2, Pack<float, 2>{{x.at[2], x.at[3]}});
    }

    __device__ __forceinline__ void angles() const {
#pragma unroll 1
        for (int j = lane_index(); j < s.angle_columns; j += 32)
#pragma unroll 1
            for (int base = own_row; base < own_row + kTileRows; base += kAtOnce) {
                float sums[kAtOnce] = {};
                S raw[kAtOnce];
                if (s.turning == Turning::data) {
#pragma unroll
                    for (int i = 0; i < kAtOnce; ++i) raw[i] = in.angle.row(r, row_at(base + i))[j];
#pragma unroll 2
                    for (int head = 0; head < s.heads; ++head)
#pragma unroll
                        for (int i = 0; i < kAtOnce; ++i)
                            sums[i] += __ldcg(parts.theta + (s.head_rows(r, head) + row_at(base + i)) * s.angles + j);
#pragma unroll
                    for (int i = 0; i < kAtOnce; ++i) sums[i] *= numerics::angular_velocity_derivative(float(raw[i]));
                }
#pragma unroll
                for (int i = 0; i < kAtOnce; ++i)
                    if (base + i < positions) gradient.angle.row(r, row_at(base + i))[j] = sums[i];
            }
    }
};

}  // namespace whorl::gpu
