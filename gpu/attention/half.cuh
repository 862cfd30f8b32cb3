// binary16, for operands of the matrix units: eleven digits between 2⁻¹⁴ and 65504, fewer below.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/numerics/floating.hpp"

namespace whorl::gpu {

/// Rounds to nearest, ties to even; reading is exact.
struct Half {
    std::uint16_t bits;

    Half() = default;
    __device__ explicit Half(float x) : bits(rounded(x)) {}
    __device__ operator float() const {
#if defined(__CUDA_ARCH__)
        float x;
        asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
        return x;
#else
        const std::uint32_t exponent = bits >> 10 & 31U, digits = bits & 1023U, sign = std::uint32_t{bits} >> 15 << 31;
        if (exponent == 0) return (sign != 0 ? -0x1p-24F : 0x1p-24F) * static_cast<float>(digits);
        return numerics::detail::from_bits<float>(sign | (exponent == 31 ? 255U : exponent + 112) << 23 | digits << 13);
#endif
    }

private:
    __device__ static std::uint16_t rounded(float x) {
#if defined(__CUDA_ARCH__)
        std::uint16_t result;
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result) : "f"(x));
        return result;
#else
        const std::uint32_t whole = numerics::detail::to_bits(x), sign = whole >> 31 << 15, size = whole & 0x7fffffffU;
        std::uint32_t half;
        if (size > 0x7f800000U)
            half = 0x7fff;
        else if (size >= 0x477ff000U)  // 65520 and more
            half = 0x7c00;
        else if (size < 0x38800000U)  // below 2⁻¹⁴ the last place stays where that of 0.5 is
            half = numerics::detail::to_bits(numerics::detail::from_bits<float>(size) + 0.5F) - 0x3f000000U;
        else
            half = (size - 0x38000000U + 0xfff + (size >> 13 & 1U)) >> 13;
        return static_cast<std::uint16_t>(sign | half);
#endif
    }
};

}  // namespace whorl::gpu
