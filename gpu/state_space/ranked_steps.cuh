// Steps of ranked strips, outside the walk through the chunks: what a head's positions give their rows is made before
// it, all positions at once, and the gradients of what steps are made from are made behind it.
//
//     Δ, A, λ  →  StripStep  →  forward, backward  →  StepSlopes  →  d Δ, d A, d λ
//
// A block has a head of a sequence, a thread a position at a time.
#pragma once

#include "gpu/runtime/block_sum.cuh"
#include "gpu/state_space/ranked_strips.cuh"
#include "gpu/state_space/state_space_memory.cuh"

namespace whorl::gpu {

constexpr int kStepThreads = 128;

/// One head's positions.
template <class S>
struct HeadSteps {
    const RankedShape& s;
    const RankedViews<S>& in;
    HeadOfSequence place;
    std::int64_t first_row;
    int length;
    std::int64_t task;

    __device__ HeadSteps(const RankedShape& shape, const RankedViews<S>& tensors, const HeadOfSequence& of)
        : s(shape),
          in(tensors),
          place(of),
          first_row(shape.sequences.first_row(of.r, of.b)),
          length(shape.sequences.length_of(of.r, of.b)),
          task(of.index(shape.batch, shape.heads)) {}

    __device__ RawStep<float> raw(int position) const {
        return raw_step(static_cast<const StateSpaceShape&>(s), in, place.r, first_row + position, place.h);
    }
    __device__ Step<float> of(const RawStep<float>& raw) const {
        return step_of(static_cast<const StateSpaceShape&>(s), raw);
    }
};

/// Positions of whole chunks that a block makes at once, and those that it makes: a long sequence has several blocks.
__host__ __device__ inline int steps_at_once(const RankedShape& s) {
    return kStepThreads / s.chunk * s.chunk;
}
__host__ __device__ inline int steps_of_block(const RankedShape& s) {
    return 4 * steps_at_once(s);
}
/// Strips' decays are sums over neighbours, through the block's memory.
template <class S>
__device__ void make_steps(const HeadSteps<S>& head, int block, StripStep* to) {
    __shared__ float log_decays[kStepThreads], carries[kStepThreads + 1];
    const RankedShape& s = head.s;
    const int at_once = steps_at_once(s), i = static_cast<int>(threadIdx.x);
    const int strip = s.positions_of_strip(), first = i - i % s.chunk % strip;  // of the strip
    const int from = block * steps_of_block(s), end_of_block = least_of(from + steps_of_block(s), head.length);
    for (int begin = from; begin < end_of_block; begin += at_once) {
        const int position = begin + i, count = least_of(at_once, head.length - begin);
        StripStep step{};
        const auto scan_of = [&](int at) {
            const Step<float> made = head.of(head.raw(at));
            step.dt = made.dt;
            return numerics::exp_trapezoid_scan(made.dt, made.a, made.lambda);
        };
        if (i == 0) carries[count] = begin + count < head.length ? scan_of(begin + count).carry : 0;
        if (i < count) {
            const auto scan = scan_of(position);
            step.log_decay = log_decays[i] = scan.log_decay;
            step.gamma = scan.gamma;
            carries[i] = scan.carry;
        }
        __syncthreads();
        if (i < count) {
            const int end = least_of(least_of(first + strip, i - i % s.chunk + s.chunk), count);
            float up_to = 0, behind = 0;
            for (int j = first; j <= i; ++j) up_to += log_decays[j];
            for (int j = i + 1; j < end; ++j) behind += log_decays[j];
            step.strength = step.gamma + carries[i + 1];
            step.head = numerics::exp(up_to);
            step.tail = numerics::exp(behind);
            to[position] = step;
        }
        __syncthreads();
    }
}

/// From slopes [task][position] to the gradients of Δ, A and λ as the projection gives them, and the sums of dt_bias
/// and A_log in sums [task][SumLayout].
template <class S>
__global__ void __launch_bounds__(kStepThreads)
    ranked_steps_backward_kernel(const __grid_constant__ RankedShape s, const __grid_constant__ RankedViews<S> in,
                                 const __grid_constant__ StateSpaceViews<float, S> gradient, const StepSlopes* slopes,
                                 float* sums) {
    const HeadSteps<S> head(s, in, head_of_block(s.heads, blockIdx.y));
    const StepSlopes* const own = slopes + head.task * s.length;
    float dt_bias = 0, a_log = 0;
    for (int position = static_cast<int>(threadIdx.x); position < head.length; position += kStepThreads) {
        const RawStep<float> raw = head.raw(position);
        const StepSlopes d = own[position];
        const numerics::ScanCoefficients<float> d_scan{d.log_decay, position > 0 ? own[position - 1].carry : 0,
                                                       d.gamma};
        const auto of_step = step_backward(static_cast<const StateSpaceShape&>(s), gradient, head.place.r,
                                           head.first_row + position, head.place.h, raw, head.of(raw), d_scan, d.dt);
        dt_bias += of_step.x;
        a_log += of_step.y;
    }
    dt_bias = block_sum<kStepThreads>(dt_bias);
    a_log = block_sum<kStepThreads>(a_log);
    if (threadIdx.x != 0) return;
    float* const to = sums + head.task * SumLayout(s).count();
    to[0] = dt_bias;
    to[2] = a_log;
}

}  // namespace whorl::gpu
