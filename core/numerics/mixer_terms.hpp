// What the mixers make of their raw projections before they touch a state: step sizes, decay rates, write strengths,
// norms.
//
// Sources: "Mamba-2" and "Mamba-3" (Δ, A), "Gated DeltaNet" (g, β, the transition e^g (I - β k kᵀ)), and the authors'
// released code for the floors and epsilons.
#pragma once

#include "core/numerics/activations.hpp"
#include "core/numerics/floating.hpp"

namespace whorl::numerics {

/// Δ = softplus(raw + bias), above 0.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T step_size(T raw, T bias) {
    return softplus(raw + bias);
}

/// A = -max(f(raw), floor), f = softplus or heavy_tail: Mamba-3's decay rate from the data, below 0 whatever f is.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T data_decay_rate(T raw, bool heavy, T floor) {
    const T rate = heavy ? heavy_tail(raw) : softplus(raw);
    return -(rate < floor ? floor : rate);
}

/// A = -exp(A_log): a head's own decay rate.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T head_decay_rate(T a_log) {
    return -exp(a_log);
}

/// β = σ(raw), doubled where the transition may have negative eigenvalues.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T write_strength(T raw, bool negative_eigenvalues) {
    return (negative_eigenvalues ? T(2) : T(1)) * sigmoid(raw);
}

/// Eigenvalue of e^g (I - β k kᵀ) along k, given decay = e^g and k·k; across k it is the decay itself.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T key_eigenvalue(T decay, T beta, T key_square) {
    return decay * fma(-beta, key_square, T(1));
}

/// 1 / sqrt(Σx²/count + ε): what RMSNorm multiplies by.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T inverse_rms(T sum_of_squares, T count, T epsilon) {
    return inverse_sqrt(sum_of_squares * reciprocal(count) + epsilon);
}

/// 1 / sqrt(Σx² + 1e-6): what brings the delta rule's queries and keys to length one.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T inverse_length(T sum_of_squares) {
    return inverse_sqrt(sum_of_squares + T(1e-6));
}

}  // namespace whorl::numerics
