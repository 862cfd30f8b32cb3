// The layer's tensors, and its formulas for numbers that are at hand, whichever kernel has them.
#pragma once

#include "core/numerics/discretization.hpp"
#include "core/numerics/mixer_terms.hpp"
#include "core/numerics/rotation.hpp"
#include "gpu/runtime/launch.cuh"
#include "gpu/runtime/products.hpp"
#include "gpu/state_space/state_space.cuh"

namespace whorl::gpu {

/// The tensors of the layer, or their gradients. S: what activations are stored in.
template <class T, class S>
struct StateSpaceViews {
    View<S> z, xbc, ddt, da, u, angle;
    View<T> dt_bias, d, a_log, b_bias, c_bias, b_norm, c_norm, mimo_x, mimo_z, mimo_o, norm;
    View<T> velocity{};  // of the angles, which all heads share: behind what the heads save
};

template <class T, class S>
StateSpaceViews<T, S> state_space_views(const Mamba3Tensors& t) {
    return {view<S>(t.z),      view<S>(t.xbc),     view<S>(t.ddt),    view<S>(t.da),     view<S>(t.u),
            view<S>(t.angle),  view<T>(t.dt_bias), view<T>(t.d),      view<T>(t.a_log),  view<T>(t.b_bias),
            view<T>(t.c_bias), view<T>(t.b_norm),  view<T>(t.c_norm), view<T>(t.mimo_x), view<T>(t.mimo_z),
            view<T>(t.mimo_o), view<T>(t.norm)};
}

/// What the heads of a sequence leave for the kernels that add them. Part: what B's and C's rows are stored in.
template <class T, class Part = T>
struct HeadParts {
    Part *b, *c;  // [replica, head, row, rank, N]: gradients of the normed rows, in the order of the projection
    T* theta;     // [replica, head, row, S]
    T* sums;      // [task, SumLayout]
    T* norms;     // [replica, part, 2, N]: terms of b_norm's and c_norm's gradients
};

/// What one step of one head is made from.
template <class T>
struct RawStep {
    T ddt, da, u;  // with dt_bias; A_log where the head has its own decay rate
};
template <class T, class S>
__device__ __forceinline__ RawStep<T> raw_step(const StateSpaceShape& s, const StateSpaceViews<T, S>& in,
                                               std::int64_t r, std::int64_t row, int h) {
    return {T(in.ddt.row(r, row)[h]) + in.dt_bias.at(r)[h], in.a_log ? in.a_log.at(r)[h] : T(in.da.row(r, row)[h]),
            s.learned_weight ? T(in.u.row(r, row)[h]) : T(0)};
}

template <class T>
struct Step {
    T dt, a, lambda;
};
template <class T>
__device__ __forceinline__ Step<T> step_of(const StateSpaceShape& s, const RawStep<T>& raw) {
    return {numerics::step_size(raw.ddt, T(0)),
            s.own_rate ? numerics::head_decay_rate(raw.da)
                       : numerics::data_decay_rate(raw.da, s.heavy_tail, static_cast<T>(s.a_floor)),
            s.learned_weight ? numerics::sigmoid(raw.u) : static_cast<T>(s.fixed_weight)};
}

/// Writes a step's gradients, from those of the scan and of Δ through the angles. Returns those of dt_bias and A_log.
template <class T, class S>
__device__ __forceinline__ numerics::Pair<T> step_backward(const StateSpaceShape& s,
                                                           const StateSpaceViews<T, S>& gradient, std::int64_t r,
                                                           std::int64_t row, int h, const RawStep<T>& raw,
                                                           const Step<T>& step,
                                                           const numerics::ScanCoefficients<T>& d_scan, T d_dt) {
    auto d = numerics::exp_trapezoid_scan_backward(step.dt, step.a, step.lambda, d_scan);
    d.dt += d_dt;
    // Products that are added up are rounded first, by hand: compilers would do so in some kernels only.
    const T d_ddt = numerics::fma(d.dt, numerics::sigmoid(raw.ddt), T(0));
    gradient.ddt.row(r, row)[h] = d_ddt;
    T d_a_log = 0, d_da = 0;
    if (s.own_rate)
        d_a_log = numerics::fma(d.a, step.a, T(0));
    else if (-step.a > static_cast<T>(s.a_floor))
        d_da = -d.a * (s.heavy_tail ? numerics::heavy_tail_derivative(raw.da) : numerics::sigmoid(raw.da));
    if (gradient.da) gradient.da.row(r, row)[h] = d_da;
    if (gradient.u)
        gradient.u.row(r, row)[h] = s.learned_weight ? d.lambda * numerics::sigmoid_derivative(raw.u) : T(0);
    return {d_ddt, d_a_log};
}

/// sin and cos for operands of products P: where these keep fewer digits than a float has, the hardware's own, to 2⁻²¹.
template <Products P>
__device__ __forceinline__ numerics::SinCos<float> sincos_for(std::uint32_t turn) {
#if defined(__CUDA_ARCH__)
    if constexpr (P == Products::tf32 || P == Products::bf16) {
        const float angle = numerics::angle_of<float>(turn);
        return {__sinf(angle), __cosf(angle)};
    }
#endif
    return numerics::sincos_of(turn);
}

/// silu as exact as operands of products P are.
template <Products P>
__device__ __forceinline__ float silu_for(float x) {
#if defined(__CUDA_ARCH__)
    if constexpr (P == Products::tf32 || P == Products::bf16) {
        constexpr float to_powers_of_two = -1.4426950408889634F;
        float power, inverse;
        asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x * to_powers_of_two));
        asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(1 + power));
        return x * inverse;
    }
#endif
    return numerics::silu(x);
}

// ---- norm and gate of one channel: out = norm(skip) ⊙ silu(z) in some order, skip = y + D x

__host__ __device__ inline bool normed(Gate gate) {
    return gate.norm != OutprojNorm::none;
}
/// What the norm's mean of squares is of.
template <class T>
__device__ __forceinline__ T normed_value(Gate gate, T skip, T z) {
    return gate.norm == OutprojNorm::post_gate ? skip * numerics::silu(z) : skip;
}
/// scale: 1/rms of the row, weight: the norm's; without a norm they are left out.
template <class T>
__device__ __forceinline__ T gated(Gate gate, T skip, T z) {
    return !gate.on ? skip : skip * numerics::silu(z);
}
template <class T>
__device__ __forceinline__ T gated(Gate gate, T skip, T z, T scale, T weight) {
    const T out = gated(gate, skip, z);
    return normed(gate) ? out * (scale * weight) : out;
}

/// What it passes back.
template <class T>
struct GateSlopes {
    T out, d_skip, d_gate, d_weight;
};
/// d: gradient of the output; pull: the mean of slope · out along the row, which the norm takes off. Differences of two
/// products say which is rounded: compilers would choose now one, now the other.
template <class T>
__device__ __forceinline__ GateSlopes<T> gate_slopes(Gate gate, T skip, T d, T z) {
    if (!gate.on) return {skip, d, T(0), T(0)};
    const T silu = numerics::silu(z);
    return {skip * silu, d * silu, d * skip * numerics::silu_derivative(z), T(0)};
}
template <class T>
__device__ __forceinline__ GateSlopes<T> gate_slopes(Gate gate, T skip, T d, T z, T scale, T weight, T pull) {
    if (!normed(gate)) return gate_slopes(gate, skip, d, z);
    const T silu = numerics::silu(z), slope = numerics::silu_derivative(z);
    const T out = skip * silu * scale;
    if (gate.norm == OutprojNorm::pre_gate)
        return {out * weight, scale * numerics::fma(d * silu, weight, -(skip * scale * pull)),
                d * skip * scale * weight * slope, d * out};
    const T d_gated = scale * numerics::fma(d, weight, -(out * pull));
    return {out * weight, d_gated * silu, d_gated * skip * slope, d * out};
}

}  // namespace whorl::gpu
