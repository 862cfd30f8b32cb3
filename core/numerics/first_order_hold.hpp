// The step that is exact for an input straight between its samples (control's first-order hold). It is no seventh rule
// to choose among: it is what an ODE with such an input means, and what rules of second order are measured against.
//
// With z = ΔA, over s in [0, 1], the share of the step that is past:
//   h_t = e^z h_{t-1} + Δ·falling(z)·u_{t-1} + Δ·rising(z)·u_t
//   rising(z)  = ∫ s e^{z(1-s)} ds     = φ₂(z) = (e^z - 1 - z) / z²
//   falling(z) = ∫ (1-s) e^{z(1-s)} ds = φ₁(z) - φ₂(z) = (1 + (z - 1) e^z) / z²
// Source: Hochbruck and Ostermann, "Exponential integrators", Acta Numerica 2010. Host only, in double.
#pragma once

#include <cmath>
#include <complex>

#include "core/numerics/discretization.hpp"

namespace whorl::numerics {

namespace detail {

/// Σ z^k / k! · share(k), for |z| < 1, where the closed forms cancel.
template <class Value, class Share>
Value exponential_series(Value z, Share share) {
    Value power = 1, sum = 0;
    for (int k = 0; k < 20; ++k) {
        sum += power * share(k);
        power *= z / double(k + 1);
    }
    return sum;
}

}  // namespace detail

/// φ₂(z) = (e^z - 1 - z) / z², ½ at 0: the weight of an input that rises from 0 to 1 over the step. Relative error
/// below 1e-15 · (1 + |z|).
template <class Value>
Value rising_weight(Value z) {
    if (std::abs(z) < 1) return detail::exponential_series(z, [](int k) { return 1.0 / ((k + 1) * (k + 2)); });
    return (mean_exponential(z) - 1.0) / z;
}

/// (1 + (z - 1) e^z) / z², ½ at 0: the weight of an input that falls from 1 to 0.
template <class Value>
Value falling_weight(Value z) {
    if (std::abs(z) < 1) return detail::exponential_series(z, [](int k) { return 1.0 / (k + 2); });
    return (1.0 + (z - 1.0) * detail::exponential(z)) / (z * z);
}

/// (e^{ΔA}, Δ·falling(ΔA), Δ·rising(ΔA)); Value is double or complex<double>.
template <class Value>
Coefficients<Value> first_order_hold(double dt, Value a) {
    const Value z = dt * a;
    return {detail::exponential(z), dt * falling_weight(z), dt * rising_weight(z)};
}

}  // namespace whorl::numerics
