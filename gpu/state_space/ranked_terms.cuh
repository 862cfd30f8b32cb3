// What ranked strips read instead of making it themselves, all of it once before the walk through the chunks: of a
// position, what all heads share (θ, and what the norms multiply its rows of B and C by); of a head, its tables
// (HeadTable); of a head's position, its step (ranked_steps.cuh).
#pragma once

#include "gpu/state_space/ranked_steps.cuh"

namespace whorl::gpu {

template <class S>
struct RankedTerms {
    RankedShape s;
    RankedViews<S> in;
    /// By a warp.
    __device__ void position(std::int64_t r, std::int64_t row) const {
        if (s.rotation == Rotation::data_dependent) {
            const S* const raw = in.angle.row(r, row);
            float* const to = in.velocity.row(r, row);
            for (int j = lane_index(); j < s.angles; j += 32) to[j] = numerics::angular_velocity(float(raw[j]));
        }
        const S* from = in.xbc.row(r, row) + s.heads * s.headdim;
        float* const to = in.scales.row(r, row);
#pragma unroll 4
        for (int vector = 0; vector < RankedLayout::scales_of_row(s); ++vector, from += s.state) {
            float square = 0;
            if (in.b_norm)
                for (int n = lane_index(); n < s.state; n += 32)
                    square = numerics::fma(float(from[n]), float(from[n]), square);
            square = warp_sum(square);
            if (lane_index() == 0)
                to[vector] = in.b_norm ? numerics::inverse_rms(square, static_cast<float>(s.state),
                                                               static_cast<float>(s.epsilon))
                                       : 1;
        }
    }
    /// By a block.
    __device__ void head(std::int64_t r, int h) const {
        const HeadTable of(s);
        float* const to = in.table.at(r, h);
        const auto each = [](int count, const auto& body) {
            for (int i = static_cast<int>(threadIdx.x); i < count; i += kStepThreads) body(i);
        };
        each(s.rank * s.state, [&](int i) {
            const int place = i % s.state, half = s.state / 2;
            const int from = i - place + (s.neighbours ? place : place / 2 + place % 2 * half);
            to[i] = in.b_bias ? in.b_bias.at(r, h)[from] : 0;
            to[of.c_bias + i] = in.c_bias ? in.c_bias.at(r, h)[from] : 0;
        });
        const View<float>* const mixes[] = {&in.mimo_x, &in.mimo_z, &in.mimo_o};
        for (int which = 0; which < 3; ++which)
            each(of.mix, [&](int i) {
                const View<float>& mix = *mixes[which];
                to[of.mix_x + which * of.mix + i] = mix ? mix.at(r, h, i / s.headdim)[i % s.headdim] : 1;
            });
    }
};
constexpr int kPositionWarps = kStepThreads / 32;
__host__ __device__ inline unsigned step_blocks(const RankedShape& s) {
    return static_cast<unsigned>(most_of(s.length - 1, 0) / steps_of_block(s) + 1);
}
/// Blocks of positions, of heads, of heads of sequences: one behind the other.
template <class S>
__global__ void __launch_bounds__(kStepThreads)
    ranked_terms_kernel(const __grid_constant__ RankedTerms<S> body, unsigned position_blocks) {
    const RankedShape& s = body.s;
    if (blockIdx.x < position_blocks) {
        const std::int64_t row = std::int64_t{blockIdx.x} * kPositionWarps + threadIdx.x / 32;
        if (row < s.sequences.rows(blockIdx.y)) body.position(blockIdx.y, row);
        return;
    }
    unsigned block = blockIdx.x - position_blocks;
    const unsigned heads = static_cast<unsigned>(s.heads);
    if (block < heads) return body.head(blockIdx.y, static_cast<int>(block));
    block -= heads;
    const unsigned blocks = step_blocks(s), place = block / blocks;
    const HeadSteps<S> head(s, body.in, {blockIdx.y, place / heads, static_cast<int>(place % heads)});
    make_steps(head, static_cast<int>(block % blocks), body.in.steps + head.task * s.length);
}
template <class S>
void make_terms(const CudaBackend& backend, const RankedShape& s, const RankedViews<S>& views) {
    const unsigned position_blocks = grid_size(ceil_div(s.sequences.most_rows(), kPositionWarps));
    launch("state_space_forward", ranked_terms_kernel<S>,
           dim3(position_blocks + grid_size(s.heads) + grid_size(s.batch * s.heads * step_blocks(s)),
                grid_size(s.replicas)),
           dim3(kStepThreads), 0, backend.stream(), RankedTerms<S>{s, views}, position_blocks);
}

}  // namespace whorl::gpu
