// Modular arithmetic: the value modulo m of digits joined by +, - and *, where * binds tighter.
//
// Tokens: 0 PAD, 1 +, 2 -, 3 *, 4 =, 5+d the digit d of 0 … m-1 (and, with `bos`, 5+m the beginning of the sequence).
// An example of size s, s odd, has s-2 tokens "digit operator digit …" and then =; an even request means s-1, hence 255
// for 256. Digits are uniform, operators uniform in {+,-,*}, with mult = false in {+,-} (the vocabulary stays). The
// answer, a digit, is asked for at = (supervise = all: at each digit, too, for the expression that ends there).
#pragma once

#include "tasks/arithmetic.hpp"

namespace whorl {

struct ModularArithmetic : StreamOptions {
    static constexpr int kVersion = 1;

    std::int32_t modulus = 5;
    bool mult = true;

    WHORL_HD static constexpr std::int64_t odd(std::int64_t size) { return size - (size % 2 == 0 ? 1 : 0); }
    std::int64_t vocabulary() const { return kDigit + modulus + (bos ? 1 : 0); }
    double chance() const { return 1.0 / modulus; }
    std::int64_t positions(std::int64_t size) const { return StreamOptions::positions(odd(size)); }
    std::int64_t slots(std::int64_t length) const { return supervise == Supervise::last ? 1 : length / 2 + 1; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    std::string example_text(const Example& example) const;
    static const char* about();
};

constexpr const char* config_type(const ModularArithmetic&) {
    return "modular_arithmetic";
}

template <class V>
void describe(V& v, ModularArithmetic& c) {
    v.field("modulus", c.modulus, range(2, kLargestModulus));
    v.field("mult", c.mult);
    describe_stream(v, c, 3);
}

/// The value of an expression read so far: a sum that is closed, and the product that the next * would extend.
struct ExpressionTrack {
    std::int32_t modulus;
    std::int32_t sum = 0, product = 0;

    /// `operation` is the one before the digit; the first digit follows a +. Returns the value, 0 … modulus-1.
    WHORL_HD constexpr std::int32_t read(std::int32_t operation, std::int32_t digit) {
        if (operation == kTimes) {
            product = product * digit % modulus;
        } else {
            sum = (sum + product) % modulus;
            product = operation == kPlus ? digit : modulo(-digit, modulus);
        }
        return (sum + product) % modulus;
    }
};

WHORL_HD constexpr std::int64_t ModularArithmetic::generate(const SampleKey& key, const SampleView& out) const {
    Random random = key.random();
    const std::int64_t length = odd(draw_size(random, key.sizes)) - 2;
    const std::int64_t begin = begin_sample(out, bos, kDigit + modulus), end = begin + length;
    ExpressionTrack track{modulus};
    std::int32_t operation = kPlus, value = 0;
    for (std::int64_t t = begin; t < end; ++t) {
        out.targets[t] = kUnsupervised;
        if ((t - begin) % 2 == 1) {
            out.tokens[t] = operation = draw_operator(random, mult);
            continue;
        }
        const auto digit = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(modulus)));
        value = track.read(operation, digit);
        out.tokens[t] = kDigit + digit;
        if (supervise == Supervise::all) out.targets[t] = kDigit + value;
    }
    out.tokens[end] = kEquals, out.targets[end] = kDigit + value;
    pad_sample(out, end + 1);
    return end + 1;
}

}  // namespace whorl
