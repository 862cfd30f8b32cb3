// Rotations of channel pairs: the complex part of a state's eigenvalue, carried as angles on B and C.
//
// Source: "Mamba-3", complex-valued state as data-dependent rotary embedding: a state with eigenvalue A - iθ is a real
// state whose pairs turn by Δθ a step; B and C rotated by the cumulative angle φ give the same outputs.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "core/numerics/activations.hpp"

namespace whorl::numerics {

template <Real T>
inline constexpr T pi = T(3.14159265358979323846264338327950288L);

/// Two channels that turn together, also read as x + i·y.
template <Real T>
struct Pair {
    T x;
    T y;
};

/// Rot(φ) v = (cos φ v.x - sin φ v.y, sin φ v.x + cos φ v.y): v times e^{iφ}, given cos φ and sin φ.
template <Real T>
WHORL_HD WHORL_INLINE constexpr Pair<T> rotate(Pair<T> v, T cos, T sin) {
    return {fma(cos, v.x, -(sin * v.y)), fma(sin, v.x, cos * v.y)};
}

/// Rot(φ)ᵀ v = Rot(-φ) v: the inverse, and the gradient of v from the gradient of Rot(φ) v.
template <Real T>
WHORL_HD WHORL_INLINE constexpr Pair<T> rotate_back(Pair<T> v, T cos, T sin) {
    return rotate(v, cos, -sin);
}

/// d/dφ of ⟨gradient, Rot(φ) v⟩ from rotated = Rot(φ) v: the gradient along the direction of turning, (-rotated.y,
/// rotated.x).
template <Real T>
WHORL_HD WHORL_INLINE constexpr T rotate_phase_gradient(Pair<T> rotated, Pair<T> gradient) {
    return fma(gradient.y, rotated.x, -(gradient.x * rotated.y));
}

/// x mod 2π in [-π, π] (over by |x|ε at most; an end may come out on either side), rounded once, for |x| ≤ 10⁴ in
/// float, 10⁶ in double. Sums of angles are wrapped after each addition, in any grouping, so that they never grow.
/// Never narrower than float.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T wrap_angle(T x) {
    constexpr bool single = std::is_same_v<T, float>;
    constexpr T inverse_turn = single ? T(0x1.45f306p-3) : T(0x1.45f306dc9c883p-3);
    constexpr T turn1 = single ? T(0x1.921fb6p+2) : T(0x1.921fb54442d18p+2);
    constexpr T turn2 = single ? T(-0x1.777a5cp-23) : T(0x1.1a62633145c07p-52);
    const T turns = fma(x, inverse_turn, detail::rounding_shift<T>) - detail::rounding_shift<T>;
    return fma(turns, -turn2, fma(turns, -turn1, x));
}

/// φ_t = (φ_{t-1} + θ_t Δ_t) mod 2π. The gradient passes through unchanged: dφ_{t-1} = dφ, dθ = Δ dφ, dΔ = θ dφ.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T advance_phase(T phase, T theta, T dt) {
    return wrap_angle(fma(theta, dt, phase));
}

/// An angle in 2⁻³² of a turn (double: 2⁻⁶⁴). Sums wrap by themselves and lose nothing, in any grouping, where those of
/// wrapped angles are rounded once a step.
template <Real T>
using Turn = std::conditional_t<std::is_same_v<T, float>, std::uint32_t, std::uint64_t>;

namespace detail {
template <Real T>
inline constexpr T turn_units = std::is_same_v<T, float> ? T(0x1p32) : T(0x1p64);
}

/// θΔ, to half an ε of a turn and one unit (half a turn: 2ε), for |θΔ| ≤ 10⁴ in float, 10⁶ in double.
template <Real T>
WHORL_HD WHORL_INLINE constexpr Turn<T> turn_of(T theta, T dt = T(1)) {
    using Signed = std::make_signed_t<Turn<T>>;
    constexpr bool single = std::is_same_v<T, float>;
    constexpr T inverse1 = single ? T(0x1.45f306p-3) : T(0x1.45f306dc9c883p-3);  // 1/2π: rounded, and the rest
    constexpr T inverse2 = single ? T(0x1.b93910p-28) : T(-0x1.6b01ec5417056p-57);
    constexpr T largest = single ? T(0x1.fffffep30) : T(0x1.fffffffffffffp62);
    constexpr T shift = detail::rounding_shift<T>;
    const T angle = theta * dt, rest = fma(theta, dt, -angle);
    const T turns = fma(angle, inverse1, shift) - shift;
    const T sum = fma(angle, inverse1, -turns) + fma(angle, inverse2, rest * inverse1);
    const T part = sum - ((sum + shift) - shift);  // the rest of 1/2π may have brought it over half a turn
    const T units = part * detail::turn_units<T>;
    return static_cast<Turn<T>>(static_cast<Signed>(units < largest ? units : largest));
}
/// In [-π, π].
template <Real T>
WHORL_HD WHORL_INLINE constexpr T angle_of(Turn<T> turn) {
    return static_cast<T>(static_cast<std::make_signed_t<Turn<T>>>(turn)) * (2 * pi<T> / detail::turn_units<T>);
}
/// sin and cos of angle_of(turn). The quarter is found in whole numbers, so that this is cheaper than sincos.
template <std::unsigned_integral U>
WHORL_HD WHORL_INLINE constexpr auto sincos_of(U turn) {
    using T = std::conditional_t<sizeof(U) == 4, float, double>;
    constexpr int quarter_bits = 8 * sizeof(U) - 2;
    const U quarters = (turn + (U{1} << (quarter_bits - 1))) >> quarter_bits;
    return detail::sincos_in_quarter(angle_of<T>(turn - (quarters << quarter_bits)), quarters);
}

/// Inside the recurrences, state channels stand in rotation order: the first halves of all pairs, then the second
/// halves, then the channels that do not turn; pair j is (j, S + j). Returns the checkpoint's channel at `position` of
/// N, for pairs of neighbours (2j, 2j+1) or of halves (j, j + N/2).
template <class Index>
WHORL_HD WHORL_INLINE constexpr Index rotated_channel(Index position, Index angles, Index state, bool neighbours) {
    if (neighbours)
        return position < angles ? 2 * position : position < 2 * angles ? 2 * (position - angles) + 1 : position;
    const Index half = state / 2;
    return position < angles          ? position
           : position < 2 * angles    ? half + position - angles
           : position < half + angles ? position - angles
                                      : position;
}

/// θ = π tanh(a): radians per unit of Δ, strictly inside half a turn.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T angular_velocity(T a) {
    return pi<T> * tanh(a);
}

template <Real T>
WHORL_HD WHORL_INLINE constexpr T angular_velocity_derivative(T a) {
    return pi<T> * tanh_derivative(a);
}

/// 10000^{-j/S} for angle j of S: the standard rotary embedding (Su et al., "RoFormer"), which turns by this each
/// position.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T rope_frequency(std::int64_t j, std::int64_t angles) {
    constexpr double log_base = 9.210340371976182736;  // ln 10000
    return static_cast<T>(exp(-log_base * static_cast<double>(j) / static_cast<double>(angles)));
}

/// The standard rotary angle of position t, t·10000^{-j/S} mod 2π, from the frequency; the product is formed in double,
/// good to positions of 10⁶.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T rope_angle(std::int64_t position, double frequency) {
    return static_cast<T>(wrap_angle(static_cast<double>(position) * frequency));
}
template <Real T>
WHORL_HD WHORL_INLINE constexpr T rope_angle(std::int64_t position, std::int64_t j, std::int64_t angles) {
    return rope_angle<T>(position, rope_frequency<double>(j, angles));
}

}  // namespace whorl::numerics
