// Elementary functions and the activations built from them, for float and double, on host and device; no call to libm
// but for a kernel's e^x of a float, which is CUDA's.
//
// Each is branch-free, so that `#pragma omp simd` turns a loop over one of them into packets, and every element has the
// same bits whatever its place in the loop. Polynomials are minimax fits (Remez exchange) of the relative error;
// arguments are reduced with fma. NaN propagates everywhere.
//
// Largest errors measured, in units in the last place of the exact value (float: every 37th number; double: 18 million
// of them):
//           exp   expm1  log   log1p  sigmoid  softplus  tanh  silu  sin, cos   derivatives of sigmoid, tanh
//   float   0.75  1.10   0.90  1.27   1.45     1.52      1.66  1.44  1.56       4.2
//   double  0.76  1.11   1.18  1.18   1.42     1.69      1.72  1.44  1.56       4.3
// tests/numerics/activations_test.cpp holds the first nine to 2, the derivatives to 5. In a CUDA kernel, where exp() of
// a float has one ulp by CUDA's documentation and reciprocal() is the hardware's, silu is off by 2.2:
// tests/backend/small_operations_test.cpp holds it to 3.
#pragma once

#include "core/numerics/floating.hpp"

namespace whorl::numerics {

namespace detail {

/// (e^r - 1 - r) / r² for |r| ≤ ln(2)/2.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T expm1_tail(T r) {
    if constexpr (std::is_same_v<T, float>) {
        return polynomial(r, 5.000000000e-01f, 1.666666567e-01f, 4.166635871e-02f, 8.333389647e-03f, 1.394071965e-03f,
                          1.984587434e-04f);
    } else {
        return polynomial(r, 0.5, 0x1.5555555555559p-3, 0x1.555555555553ep-5, 0x1.111111110f6aap-7,
                          0x1.6c16c16c1f175p-10, 0x1.a01a01afe9a82p-13, 0x1.a01a017b91e86p-16, 0x1.71ddf841ff433p-19,
                          0x1.27e53666d1456p-22, 0x1.af5ee8514195cp-26, 0x1.1ee87edc2804ep-29);
    }
}

/// x = n·ln(2) + r with |r| ≤ ln(2)/2: n (mod 2^bits, two's complement) and e^r as an unevaluated sum whose small part
/// keeps what rounding 1 + r drops, so that neither e^x nor e^x - 1 loses more than the last rounding.
template <Real T>
struct ReducedExponential {
    Bits<T> n;
    T large;
    T small;
};

template <Real T>
WHORL_HD WHORL_INLINE constexpr ReducedExponential<T> reduce_exponential(T x) {
    constexpr bool single = std::is_same_v<T, float>;
    constexpr T log2_e = single ? T(0x1.715476p+0) : T(0x1.71547652b82fep+0);
    // ln(2) in two parts; with fma the first product need not be exact, only its difference from x is.
    constexpr T ln2_high = single ? T(0x1.62e43p-1) : T(0x1.62e42fefa39efp-1);
    constexpr T ln2_low = single ? T(-0x1.05c61p-29) : T(0x1.abc9e3b39803fp-56);
    const T shifted = fma(x, log2_e, rounding_shift<T>);
    const T n = shifted - rounding_shift<T>;
    const T r_high = fma(n, -ln2_high, x);
    const T r = fma(n, -ln2_low, r_high);
    const T large = T(1) + r_high;
    const T dropped = fma(n, -ln2_low, (T(1) - large) + r_high);
    return {to_bits(shifted) - to_bits(rounding_shift<T>), large, fma(r * r, expm1_tail(r), dropped)};
}

/// Bounds outside which e^x has long become 0 or infinity, and within which n above stays in range.
template <Real T>
inline constexpr T exp_lowest = std::is_same_v<T, float> ? T(-105) : T(-747);
template <Real T>
inline constexpr T exp_highest = std::is_same_v<T, float> ? T(89) : T(710);

/// (log(1 + f) - f) / f² for -1/4 ≤ f ≤ 1/2 (float), or √½ ≤ 1 + f ≤ √2 (double).
WHORL_HD WHORL_INLINE constexpr float log1p_tail(float f) {
    return polynomial(f, -4.999999702e-01f, 3.333334327e-01f, -2.500028908e-01f, 1.999962330e-01f, -1.665229052e-01f,
                      1.427204162e-01f, -1.275003701e-01f, 1.175542474e-01f, -9.126826376e-02f, 3.731932864e-02f);
}

/// log(1 + f + dropped·scale), f as above and |dropped·scale| at most the rounding error of 1 + f.
WHORL_HD WHORL_INLINE constexpr float log1p_mantissa(float f, float dropped, float scale) {
    const float g = fma(dropped, scale, f);
    return fma(g * g, log1p_tail(g), g);
}

WHORL_HD WHORL_INLINE constexpr double log1p_mantissa(double f, double dropped, double scale) {
    // log(1+f) = 2 atanh(s), s = f/(2+f); written as f - (f²/2 - s(f²/2 + R)) so that the rounding of s matters little
    // (fdlibm's way).
    const double s = f / (2.0 + f);
    const double z = s * s;
    const double tail =
        polynomial(z, 0x1.5555555555593p-1, 0x1.999999997fb32p-2, 0x1.249249421799cp-2, 0x1.c71c51e7fb9ddp-3,
                   0x1.7466462bdf1cdp-3, 0x1.39a0f50fc8e73p-3, 0x1.2f0d8e3c97bf7p-3);
    const double half_square = 0.5 * f * f;
    const double slope = fma(s, fma(2.0, s, -2.0), 1.0);  // 1/(1+f) = (1-s)/(1+s) to 1 %
    return f - fma(-slope, dropped * scale, fma(-s, fma(z, tail, half_square), half_square));
}

/// v = m·2^k with m in the range of log1p_mantissa, for normal v > 0. `biased` is k + bias.
template <Real T>
struct SplitNumber {
    T m;
    T k;
    Bits<T> biased;
};

template <Real T>
WHORL_HD WHORL_INLINE constexpr SplitNumber<T> split_number(T v) {
    using F = Format<T>;
    constexpr Bits<T> lowest_m = to_bits(std::is_same_v<T, float> ? T(0.75) : T(0x1.6a09e667f3bcdp-1));
    const Bits<T> biased = (to_bits(v) + ((F::bias << F::mantissa_bits) - lowest_m)) >> F::mantissa_bits;
    const T m = from_bits<T>(to_bits(v) - ((biased - F::bias) << F::mantissa_bits));
    const T k = from_bits<T>(to_bits(integer_unit<T>) | biased) - (integer_unit<T> + T(F::bias));
    return {m, k, biased};
}

/// k·ln(2) + y
template <Real T>
WHORL_HD WHORL_INLINE constexpr T add_exponent(T k, T y) {
    if constexpr (std::is_same_v<T, float>) {
        return fma(k, 0x1.62e43p-1f, y);
    } else {
        return fma(k, 0x1.62e42fefa39efp-1, fma(k, 0x1.abc9e3b39803fp-56, y));
    }
}

/// log(1 + x) for -1 < x < 2^60.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T log1p_bounded(T x) {
    using F = Format<T>;
    const T u = T(1) + x;
    const T back = u - T(1);
    const T lost = (T(1) - (u - back)) + (x - back);  // 1 + x = u + lost exactly
    const SplitNumber<T> part = split_number(u);
    const T scale = power_of_two_biased<T>(2 * F::bias - part.biased);
    return add_exponent(part.k, log1p_mantissa(part.m - T(1), lost, scale));
}

/// a + b as the rounded sum and what rounding dropped; exact when |a| ≥ |b| or a = 0.
template <Real T>
struct Sum {
    T rounded;
    T dropped;
};

template <Real T>
WHORL_HD WHORL_INLINE constexpr Sum<T> sum_of(T a, T b) {
    const T rounded = a + b;
    return {rounded, b - (rounded - a)};
}

/// top / bottom = rounded + remainder·inverse, where the low parts of both have entered the remainder. One division.
template <Real T>
struct Quotient {
    T rounded;
    T remainder;
    T inverse;

    WHORL_HD WHORL_INLINE constexpr T value() const { return fma(remainder, inverse, rounded); }
};

template <Real T>
WHORL_HD WHORL_INLINE constexpr Quotient<T> divide(Sum<T> top, Sum<T> bottom) {
    const T inverse = reciprocal(bottom.rounded);
    const T q = top.rounded * inverse;
    return {q, fma(-q, bottom.rounded, top.rounded) + fma(-q, bottom.dropped, top.dropped), inverse};
}

}  // namespace detail

/// e^x. Underflows gradually to 0, overflows to infinity.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T exp(T x) {
#if defined(__CUDA_ARCH__)
    if constexpr (std::is_same_v<T, float>)
        if (!__builtin_is_constant_evaluated()) return ::expf(x);
#endif
    using F = detail::Format<T>;
    const T above = x < detail::exp_lowest<T> ? detail::exp_lowest<T> : x;
    const T clamped = above > detail::exp_highest<T> ? detail::exp_highest<T> : above;
    const auto part = detail::reduce_exponential(clamped);
    // 2^n in two factors, for n itself may lie outside the exponent range.
    const auto biased = part.n + 2 * F::bias;
    const auto half = biased >> 1;
    return (part.large + part.small) * detail::power_of_two_biased<T>(half) *
           detail::power_of_two_biased<T>(biased - half);
}

/// e^x - 1 without cancellation near 0.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T expm1(T x) {
    using F = detail::Format<T>;
    constexpr T lowest = std::is_same_v<T, float> ? T(-20) : T(-40);  // there the result is -1
    const T above = x < lowest ? lowest : x;
    const T clamped = above > detail::exp_highest<T> ? detail::exp_highest<T> : above;
    const auto part = detail::reduce_exponential(clamped);
    const T half_scale = detail::power_of_two_biased<T>(part.n + F::bias - 1);  // 2^n alone may overflow
    return T(2) * fma(half_scale, part.small, fma(half_scale, part.large, T(-0.5)));
}

/// log(1 + x) without cancellation near 0; -infinity at -1, NaN below.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T log1p(T x) {
    const T u = T(1) + x;
    const auto part = detail::split_number(u);
    const T large = detail::add_exponent(part.k, detail::log1p_mantissa(part.m - T(1), T(0), T(0)));
    const T y = x < T(0x1p60) ? detail::log1p_bounded(x) : large;
    const T finite = x < detail::infinity<T> ? y : x;
    const T defined = x > T(-1) ? finite : detail::not_a_number<T>;
    return x == T(-1) ? -detail::infinity<T> : defined;
}

/// log(x); -infinity at 0, NaN below. Subnormal x is exact as well.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T log(T x) {
    using F = detail::Format<T>;
    constexpr T smallest_normal = detail::power_of_two_biased<T>(1);
    const bool subnormal = x < smallest_normal;
    const T normal = subnormal ? x * detail::integer_unit<T> : x;
    const auto part = detail::split_number(normal);
    const T k = subnormal ? part.k - T(F::mantissa_bits) : part.k;
    const T y = detail::add_exponent(k, detail::log1p_mantissa(part.m - T(1), T(0), T(0)));
    const T finite = x < detail::infinity<T> ? y : x;
    const T defined = x > T(0) ? finite : detail::not_a_number<T>;
    return x == T(0) ? -detail::infinity<T> : defined;
}

namespace detail {

/// top / (1 + e) for 0 ≤ e ≤ 1.
template <Real T>
WHORL_HD WHORL_INLINE constexpr Quotient<T> logistic(T top, T e) {
    return divide<T>({top, T(0)}, sum_of(T(1), e));
}

}  // namespace detail

/// σ(x) = 1 / (1 + e^-x).
template <Real T>
WHORL_HD WHORL_INLINE constexpr T sigmoid(T x) {
    const T e = exp(-detail::magnitude(x));
    return detail::logistic(x < T(0) ? e : T(1), e).value();
}

/// dσ/dx = σ(x) σ(-x).
template <Real T>
WHORL_HD WHORL_INLINE constexpr T sigmoid_derivative(T x) {
    const T e = exp(-detail::magnitude(x));
    const T bottom = T(1) + e;
    return e / (bottom * bottom);
}

/// log(1 + e^x). Its derivative is sigmoid.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T softplus(T x) {
    const T positive = x < T(0) ? T(0) : x;
    return positive + detail::log1p_bounded(exp(-detail::magnitude(x)));
}

/// The x with softplus(x) = y, for y > 0.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T softplus_inverse(T y) {
    return y + log(-expm1(-y));
}

/// tanh(x), odd to the bit.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T tanh(T x) {
    using F = detail::Format<T>;
    constexpr T lowest = std::is_same_v<T, float> ? T(-20) : T(-40);  // there the result is -1
    // With t = e^y - 1, y = -2|x|: tanh|x| = -t / (2 + t). This doubles t's relative error near |x| = ½, so t carries a
    // low part.
    const T y = T(-2) * detail::magnitude(x);
    const auto part = detail::reduce_exponential(y < lowest ? lowest : y);
    const T scale = detail::power_of_two_biased<T>(part.n + F::bias);
    const auto t = detail::sum_of(fma(scale, part.large, T(-1)), scale * part.small);
    const auto bottom = detail::sum_of(T(2), t.rounded);
    const auto q = detail::divide<T>({t.rounded, t.dropped}, {bottom.rounded, bottom.dropped + t.dropped});
    return detail::with_sign(detail::magnitude(q.value()), x);
}

/// d tanh/dx = 1 - tanh²(x), without cancellation.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T tanh_derivative(T x) {
    return T(4) * sigmoid_derivative(T(2) * x);
}

/// x σ(x). NaN at -infinity (0 · infinity).
template <Real T>
WHORL_HD WHORL_INLINE constexpr T silu(T x) {
    const T e = exp(-detail::magnitude(x));
    const auto s = detail::logistic(x < T(0) ? e : T(1), e);
    const T y = fma(x, s.rounded, x * (s.remainder * s.inverse));
    return x < detail::infinity<T> ? y : x;
}

/// d silu/dx = σ(x) (1 + x σ(-x)).
template <Real T>
WHORL_HD WHORL_INLINE constexpr T silu_derivative(T x) {
    const T e = exp(-detail::magnitude(x));
    const T s = reciprocal(T(1) + e);
    const T at_x = x < T(0) ? e * s : s;
    const T at_minus_x = x < T(0) ? s : e * s;
    return fma(x * at_x, at_minus_x, at_x);
}

/// The data-dependent decay rate of Mamba-3 as released since June 2026: 1 + v for v ≥ 0, 1/(1 - v) below; smooth once,
/// positive.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T heavy_tail(T v) {
    return v < T(0) ? T(1) / (T(1) - v) : T(1) + v;
}

template <Real T>
WHORL_HD WHORL_INLINE constexpr T heavy_tail_derivative(T v) {
    const T s = T(1) / (T(1) - v);
    return v < T(0) ? s * s : T(1);
}

template <Real T>
struct SinCos {
    T sin;
    T cos;
};

namespace detail {

/// sin and cos of r + q quarters of a turn, |r| ≤ π/4 (a little more does no harm); q counts in its lowest two bits.
template <Real T, class Bits>
WHORL_HD WHORL_INLINE constexpr SinCos<T> sincos_in_quarter(T r, Bits q) {
    const T z = r * r;
    T s{}, c{};
    if constexpr (std::is_same_v<T, float>) {
        s = polynomial(z, -1.666665524e-01f, 8.332173340e-03f, -1.951665618e-04f);
        c = polynomial(z, 4.166664556e-02f, -1.388730947e-03f, 2.443241283e-05f);
    } else {
        s = polynomial(z, -0x1.5555555555549p-3, 0x1.111111110f842p-7, -0x1.a01a019c0a2bbp-13, 0x1.71de3570ff440p-19,
                       -0x1.ae5e60c5b0306p-26, 0x1.5d915e55e2021p-33);
        c = polynomial(z, 0x1.555555555554bp-5, -0x1.6c16c16c14f47p-10, 0x1.a01a019c7cd66p-16, -0x1.27e4f7e53bed2p-22,
                       0x1.1ee9d3dafed0bp-29, -0x1.8fa29021ad3e5p-37);
    }
    const T sin_r = fma(r * z, s, r);
    const T cos_r = fma(z * z, c, fma(z, T(-0.5), T(1)));
    // Odd quarters exchange the two, the upper two negate sin, the middle two negate cos.
    const bool odd = (q & 1) != 0;
    const auto flip_sin = (q << (8 * sizeof(T) - 2)) & sign_bit<T>;
    const auto flip_cos = ((q + 1) << (8 * sizeof(T) - 2)) & sign_bit<T>;
    return {from_bits<T>(to_bits(odd ? cos_r : sin_r) ^ flip_sin),
            from_bits<T>(to_bits(odd ? sin_r : cos_r) ^ flip_cos)};
}

}  // namespace detail

/// sin(x) and cos(x). For |x| ≤ 10⁴ (float) or 10⁶ (double): beyond that the argument reduction runs out of bits.
template <Real T>
WHORL_HD WHORL_INLINE constexpr SinCos<T> sincos(T x) {
    constexpr bool single = std::is_same_v<T, float>;
    constexpr T two_over_pi = single ? T(0x1.45f306p-1) : T(0x1.45f306dc9c883p-1);
    constexpr T part1 = single ? T(0x1.921fb6p+0) : T(0x1.921fb54442d18p+0);
    constexpr T part2 = single ? T(-0x1.777a5cp-25) : T(0x1.1a62633145c07p-54);
    constexpr T part3 = single ? T(-0x1.ee59dap-50) : T(-0x1.f1976b7ed8fbcp-110);
    const T shifted = fma(x, two_over_pi, detail::rounding_shift<T>);
    const T n = shifted - detail::rounding_shift<T>;
    return detail::sincos_in_quarter(fma(n, -part3, fma(n, -part2, fma(n, -part1, x))), detail::to_bits(shifted));
}

}  // namespace whorl::numerics
