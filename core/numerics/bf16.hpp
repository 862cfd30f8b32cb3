// bfloat16: the upper half of a float, for numbers that are kept and not computed with.
#pragma once

#include "core/numerics/floating.hpp"

namespace whorl::numerics {

/// Rounds to nearest, ties to even; a NaN stays one. Reading is exact.
struct Bf16 {
    std::uint16_t bits;

    Bf16() = default;
    WHORL_HD WHORL_INLINE explicit Bf16(float x) : bits(rounded(x)) {}
    WHORL_HD WHORL_INLINE Bf16& operator=(float x) {
        bits = rounded(x);
        return *this;
    }
    WHORL_HD WHORL_INLINE operator float() const {  // implicit: whoever reads one computes in float
        return detail::from_bits<float>(std::uint32_t{bits} << 16);
    }

private:
    WHORL_HD WHORL_INLINE static std::uint16_t rounded(float x) {
#if __CUDA_ARCH__ >= 800
        std::uint16_t result;
        asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result) : "f"(x));
        return result;
#else
        const std::uint32_t whole = detail::to_bits(x);
        if (x != x) return 0x7fff;  // what the GPU's own conversion gives
        return static_cast<std::uint16_t>((whole + 0x7fff + (whole >> 16 & 1)) >> 16);
#endif
    }
};

}  // namespace whorl::numerics
