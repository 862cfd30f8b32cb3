// One step of a linear system h' = A h + u, u = B x, as h_t = α h_{t-1} + β u_{t-1} + γ u_t.
//
// Source: "Mamba-3", exponential-trapezoidal discretization, and the table of rules it is compared with. The classical
// rules stand in their textbook form, with u at the ends of the step where the rule samples it; state-space layers
// often give all the input weight to u_t instead, which is held_input() of the same coefficients and first order
// whatever the rule.
#pragma once

#include "core/numerics/activations.hpp"

namespace whorl::numerics {

enum class DiscretizationRule {
    forward_euler,
    backward_euler,
    bilinear,
    zero_order_hold,
    exponential_euler,
    exponential_trapezoid
};

/// Weights of h_{t-1}, u_{t-1} and u_t. Value is float, double or a complex number of either (host only).
template <class Value>
struct Coefficients {
    Value alpha;
    Value beta;
    Value gamma;
};

namespace detail {

template <class Value>
struct RealPart {
    using type = typename Value::value_type;
};
template <Real Value>
struct RealPart<Value> {
    using type = Value;
};
template <class Value>
using RealOf = typename RealPart<Value>::type;

template <class Value>
WHORL_HD WHORL_INLINE constexpr Value exponential(Value z) {
    if constexpr (Real<Value>) {
        return exp(z);
    } else {
        const auto turn = sincos(z.imag());
        const auto size = exp(z.real());
        return {size * turn.cos, size * turn.sin};
    }
}

/// e^z - 1; the complex one without cancellation between e^x cos y and 1.
template <class Value>
WHORL_HD WHORL_INLINE constexpr Value exponential_minus_one(Value z) {
    if constexpr (Real<Value>) {
        return expm1(z);
    } else {
        using T = RealOf<Value>;
        const auto turn = sincos(z.imag());
        const T half_sine = sincos(T(0.5) * z.imag()).sin;
        return {fma(expm1(z.real()), turn.cos, T(-2) * half_sine * half_sine), exp(z.real()) * turn.sin};
    }
}

}  // namespace detail

/// (e^z - 1) / z, 1 at z = 0: the mean of e^{zs} over s in [0, 1]. Accurate for tiny z.
template <class Value>
WHORL_HD WHORL_INLINE constexpr Value mean_exponential(Value z) {
    const bool zero = z == Value(0);
    return zero ? Value(1) : detail::exponential_minus_one(z) / (zero ? Value(1) : z);
}

/// (1 + ΔA, Δ, 0)
template <class Value>
WHORL_HD WHORL_INLINE constexpr Coefficients<Value> forward_euler(detail::RealOf<Value> dt, Value a) {
    return {Value(1) + dt * a, Value(dt), Value(0)};
}

/// (1, 0, Δ) / (1 - ΔA)
template <class Value>
WHORL_HD WHORL_INLINE constexpr Coefficients<Value> backward_euler(detail::RealOf<Value> dt, Value a) {
    const Value alpha = Value(1) / (Value(1) - dt * a);
    return {alpha, Value(0), dt * alpha};
}

/// (1 + ΔA/2, Δ/2, Δ/2) / (1 - ΔA/2): Tustin's rule, which S4 uses.
template <class Value>
WHORL_HD WHORL_INLINE constexpr Coefficients<Value> bilinear(detail::RealOf<Value> dt, Value a) {
    const auto half = dt / 2;
    const Value scale = Value(1) / (Value(1) - half * a);
    return {(Value(1) + half * a) * scale, half * scale, half * scale};
}

/// (e^{ΔA}, 0, (e^{ΔA} - 1)/A): exact for an input held at u_t over the step.
template <class Value>
WHORL_HD WHORL_INLINE constexpr Coefficients<Value> zero_order_hold(detail::RealOf<Value> dt, Value a) {
    return {detail::exponential(dt * a), Value(0), dt * mean_exponential(dt * a)};
}

/// (e^{ΔA}, (1-λ) Δ e^{ΔA}, λΔ): the input integral by a weighted trapezoid under the exact decay. λ = 1 is the
/// exponential Euler rule of Mamba-1 and -2, λ = ½ the classical trapezoid.
template <class Value>
WHORL_HD WHORL_INLINE constexpr Coefficients<Value> exp_trapezoid(detail::RealOf<Value> dt, Value a,
                                                                  detail::RealOf<Value> lambda) {
    const Value alpha = detail::exponential(dt * a);
    return {alpha, ((detail::RealOf<Value>(1) - lambda) * dt) * alpha, Value(lambda * dt)};
}

/// The same rule for a scan that applies the decay itself: log_decay = ΔA, carry = (1-λ)Δ, γ = λΔ, with α =
/// e^{log_decay} and β = carry·α.
template <class Value>
struct ScanCoefficients {
    Value log_decay;
    Value carry;
    Value gamma;
};

template <Real T>
WHORL_HD WHORL_INLINE constexpr ScanCoefficients<T> exp_trapezoid_scan(T dt, T a, T lambda) {
    return {dt * a, (T(1) - lambda) * dt, lambda * dt};
}

/// Gradient of a loss with respect to Δ, A and λ of one step.
template <class T>
struct StepGradient {
    T dt;
    T a;
    T lambda;
};

/// Backward of exp_trapezoid, given d = ∂loss/∂(α, β, γ).
template <Real T>
WHORL_HD WHORL_INLINE constexpr StepGradient<T> exp_trapezoid_backward(T dt, T a, T lambda, Coefficients<T> d) {
    const T alpha = exp(dt * a);
    const T before = T(1) - lambda;
    const T d_log_decay = alpha * fma(before * dt, d.beta, d.alpha);
    const T d_carry = alpha * d.beta;
    return {fma(d_log_decay, a, fma(d_carry, before, d.gamma * lambda)), d_log_decay * dt, dt * (d.gamma - d_carry)};
}

/// Backward of exp_trapezoid_scan, given d = ∂loss/∂(log_decay, carry, γ).
template <Real T>
WHORL_HD WHORL_INLINE constexpr StepGradient<T> exp_trapezoid_scan_backward(T dt, T a, T lambda,
                                                                            ScanCoefficients<T> d) {
    return {fma(d.log_decay, a, fma(d.carry, T(1) - lambda, d.gamma * lambda)), d.log_decay * dt,
            dt * (d.gamma - d.carry)};
}

/// All input weight on u_t: the input held at its last sample over the step.
template <class Value>
WHORL_HD WHORL_INLINE constexpr Coefficients<Value> held_input(Coefficients<Value> c) {
    return {c.alpha, Value(0), c.beta + c.gamma};
}

/// Coefficients by the rule's name. λ matters to exponential_trapezoid only.
template <class Value>
WHORL_HD constexpr Coefficients<Value> discretize(DiscretizationRule rule, detail::RealOf<Value> dt, Value a,
                                                  detail::RealOf<Value> lambda = detail::RealOf<Value>(0.5)) {
    switch (rule) {
        case DiscretizationRule::forward_euler:
            return forward_euler(dt, a);
        case DiscretizationRule::backward_euler:
            return backward_euler(dt, a);
        case DiscretizationRule::bilinear:
            return bilinear(dt, a);
        case DiscretizationRule::zero_order_hold:
            return zero_order_hold(dt, a);
        case DiscretizationRule::exponential_euler:
            return exp_trapezoid(dt, a, detail::RealOf<Value>(1));
        case DiscretizationRule::exponential_trapezoid:
            break;
    }
    return exp_trapezoid(dt, a, lambda);
}

}  // namespace whorl::numerics
