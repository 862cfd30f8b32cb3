// Modular sum: the sum of digits modulo m. Parity with more symbols; with m = 2 it is parity, bit for bit.
//
// Tokens: 0 PAD, 1+d the digit d of 0 … m-1 (and, with `bos`, 1+m the beginning of the sequence). An example of size s
// has s-1 uniform digits; the answer, a digit, is asked for at the last one (supervise = all: at every digit, for its
// prefix).
#pragma once

#include "tasks/stream.hpp"

namespace whorl {

inline constexpr std::int32_t kLargestModulus = 1000;  // products stay far below 2^31

struct ModularSum : StreamOptions {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kZero = 1;

    std::int32_t modulus = 5;

    std::int64_t vocabulary() const { return kZero + modulus + (bos ? 1 : 0); }
    double chance() const { return 1.0 / modulus; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const ModularSum&) {
    return "modular_sum";
}

template <class V>
void describe(V& v, ModularSum& c) {
    v.field("modulus", c.modulus, range(2, kLargestModulus));
    describe_stream(v, c, 2);
}

struct ModularSumTrack {
    std::int32_t modulus;
    std::int32_t sum = 0;
    WHORL_HD constexpr std::int32_t read(std::int32_t digit) {
        sum += digit;  // both below the modulus
        return ModularSum::kZero + (sum -= sum < modulus ? 0 : modulus);
    }
};

WHORL_HD constexpr std::int64_t ModularSum::generate(const SampleKey& key, const SampleView& out) const {
    return generate_stream(key, out, *this, {kZero, modulus, kZero + modulus}, ModularSumTrack{modulus});
}

}  // namespace whorl
