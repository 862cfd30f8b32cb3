// What the formulas need to know about binary32 and binary64: bit access, exact scaling by powers of two, fused
// multiply-add.
//
// Everything is branch-free and rounds at places the source names, so an element's value is the same in the vector body
// and in the scalar tail of a loop. In a CUDA kernel reciprocal(), inverse_sqrt() and exp() (activations.hpp) of a
// float are the hardware's, where they cost a few instructions instead of twenty and more.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/numerics/host_device.hpp"

namespace whorl::numerics {

template <class T>
concept Real = std::is_same_v<T, float> || std::is_same_v<T, double>;

namespace detail {

template <class T>
struct Format;

template <>
struct Format<float> {
    using Bits = std::uint32_t;
    static constexpr int mantissa_bits = 23;
    static constexpr Bits bias = 127;
};

template <>
struct Format<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa_bits = 52;
    static constexpr Bits bias = 1023;
};

template <class T>
using Bits = typename Format<T>::Bits;

template <Real T>
WHORL_HD WHORL_INLINE constexpr Bits<T> to_bits(T x) {
    return __builtin_bit_cast(Bits<T>, x);
}

template <Real T>
WHORL_HD WHORL_INLINE constexpr T from_bits(Bits<T> bits) {
    return __builtin_bit_cast(T, bits);
}

template <Real T>
inline constexpr Bits<T> sign_bit = Bits<T>{1} << (8 * sizeof(T) - 1);

template <Real T>
WHORL_HD WHORL_INLINE constexpr T magnitude(T x) {
    return from_bits<T>(to_bits(x) & ~sign_bit<T>);
}

/// |x| with the sign of `sign`; x must not be negative.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T with_sign(T x, T sign) {
    return from_bits<T>(to_bits(x) | (to_bits(sign) & sign_bit<T>));
}

/// 2^(j - bias), for 0 < j < 2·bias + 1: the biased exponent is the whole number.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T power_of_two_biased(Bits<T> j) {
    return from_bits<T>(j << Format<T>::mantissa_bits);
}

/// 2^mantissa_bits: the numbers in [1, 2) times this are the integers that fill the mantissa.
template <Real T>
inline constexpr T integer_unit = T(Bits<T>{1} << Format<T>::mantissa_bits);

/// Added to |x| < 2^(mantissa_bits - 2) it rounds x to an integer, found in the low bits of the sum in two's
/// complement.
template <Real T>
inline constexpr T rounding_shift = T(1.5) * integer_unit<T>;

/// Positive and negative infinity and a quiet NaN without <limits>, which kernels do not always have.
template <Real T>
inline constexpr T infinity = from_bits<T>((2 * Format<T>::bias + 1) << Format<T>::mantissa_bits);
template <Real T>
inline constexpr T not_a_number = from_bits<T>(((4 * Format<T>::bias + 3) << (Format<T>::mantissa_bits - 1)));

}  // namespace detail

/// Neither infinite nor NaN.
template <Real T>
WHORL_HD WHORL_INLINE constexpr bool is_finite(T x) {
    return detail::magnitude(x) < detail::infinity<T>;
}

/// a·b + c with one rounding, and the only way to it: nothing else is fused. Where the processor has no such
/// instruction, a float's is formed in double (two roundings, the first of which almost never matters), because the C
/// library's function would keep loops from being vectorised.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T fma(T a, T b, T c) {
    if constexpr (std::is_same_v<T, float>) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__CUDA_ARCH__)
        return __builtin_fmaf(a, b, c);
#else
        return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
#endif
    } else {
        return __builtin_fma(a, b, c);
    }
}

/// √x, correctly rounded.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T sqrt(T x) {
    if constexpr (std::is_same_v<T, float>) {
        return __builtin_sqrtf(x);
    } else {
        return __builtin_sqrt(x);
    }
}

#if defined(__CUDA_ARCH__)
namespace detail {
__device__ __forceinline__ float hardware_reciprocal(float y) {
    float inverse;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(y));
    return inverse;
}
__device__ __forceinline__ float hardware_inverse_sqrt(float x) {
    float inverse;
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(x));
    return inverse;
}
}  // namespace detail
#endif

/// 1/y. On a GPU to one ulp, for normal y whose inverse is normal.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T reciprocal(T y) {
#if defined(__CUDA_ARCH__)
    if constexpr (std::is_same_v<T, float>)
        if (!__builtin_is_constant_evaluated()) return detail::hardware_reciprocal(y);
#endif
    return T(1) / y;
}

/// 1/√x. On a GPU to 2⁻²² of its value, for normal x.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T inverse_sqrt(T x) {
#if defined(__CUDA_ARCH__)
    if constexpr (std::is_same_v<T, float>)
        if (!__builtin_is_constant_evaluated()) return detail::hardware_inverse_sqrt(x);
#endif
    return T(1) / sqrt(x);
}

/// c0 + c1·x + c2·x² + … by Horner's rule, one fma a coefficient.
template <Real T>
WHORL_HD WHORL_INLINE constexpr T polynomial(T, T c0) {
    return c0;
}
template <Real T, class... Rest>
WHORL_HD WHORL_INLINE constexpr T polynomial(T x, T c0, T c1, Rest... rest) {
    return fma(x, polynomial(x, c1, rest...), c0);
}

}  // namespace whorl::numerics
