// Modular arithmetic with brackets: the value modulo m of a nested expression.
//
// Tokens: 0 PAD, 1 +, 2 -, 3 *, 4 =, 5+d the digit d of 0 … m-1, 5+m (, 6+m ) (and, with `bos`, 7+m the beginning of
// the sequence). An example of size s ≥ 5 has an expression of s-3 tokens and then =, for the literature counts one
// PAD. An expression of n tokens is, d being a uniform digit,
//     1: d    2: -d    3: (d)    4: (-d)    n ≥ 5: (L o R), with L of U{1 … n-4} tokens, R of the n-3 left over
// with o uniform in {+,-}, or with mult = true in {+,-,*}: then 0 is the most frequent value by far, so print the
// majority baseline beside such results. The answer, a digit, is asked for at = (supervise = all: at the last token of
// the expression, too; no shorter prefix of it has a value, as all but the shortest are one pair of brackets).
#pragma once

#include "tasks/arithmetic.hpp"

namespace whorl {

struct ModularArithmeticBrackets : StreamOptions {
    static constexpr int kVersion = 1;

    std::int32_t modulus = 5;
    bool mult = false;

    constexpr ModularArithmeticBrackets() : StreamOptions{5, Supervise::last, false} {}
    WHORL_HD constexpr std::int32_t open() const { return kDigit + modulus; }
    WHORL_HD constexpr std::int32_t close() const { return open() + 1; }
    WHORL_HD constexpr std::int32_t begin_token() const { return open() + 2; }
    std::int64_t vocabulary() const { return open() + 2 + (bos ? 1 : 0); }
    double chance() const { return 1.0 / modulus; }
    std::int64_t positions(std::int64_t size) const { return size - 2 + (bos ? 1 : 0); }
    std::int64_t slots(std::int64_t) const { return supervise == Supervise::last ? 1 : 2; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    std::string example_text(const Example& example) const;
    static const char* about();
};

constexpr const char* config_type(const ModularArithmeticBrackets&) {
    return "modular_arithmetic_brackets";
}

template <class V>
void describe(V& v, ModularArithmeticBrackets& c) {
    v.field("modulus", c.modulus, range(2, kLargestModulus));
    v.field("mult", c.mult);
    describe_stream(v, c, 5);
}

/// Writes an expression and finds its value without recursion.
///
/// Of two operands the shorter one is written first and the longer one put off, so that at most log2(n) wait at a time.
/// What surrounds an operand is, once everything else in it is known, a map x → scale·x + shift of the operand's value:
/// when the longer one's turn comes, that map is all that has to be remembered.
class BracketWriter {
public:
    WHORL_HD constexpr BracketWriter(const ModularArithmeticBrackets& task, Random& random, std::int32_t* tokens)
        : task_(task), random_(random), tokens_(tokens) {}

    /// Writes `length` tokens; returns the value, 0 … modulus-1.
    WHORL_HD constexpr std::int32_t write(std::int32_t length) {
        Part part{0, length};
        Surroundings around;
        // Each turn writes at least one token.
        for (;;) {
            if (part.length >= 5) {
                part = split(part, around);
                around = {};
                continue;
            }
            const std::int32_t value = around.of(leaf(part), task_.modulus);
            if (waiting_ == 0) return value;
            const Operand& next = stack_[--waiting_];
            part = next.part;
            around = next.around.after(with_other(next, value), task_.modulus);
        }
    }

private:
    struct Part {
        std::int32_t start = 0, length = 0;
    };
    struct Surroundings {
        std::int32_t scale = 1, shift = 0;
        WHORL_HD constexpr std::int32_t of(std::int32_t x, std::int32_t m) const { return (scale * x + shift) % m; }
        /// x → this(inner(x))
        WHORL_HD constexpr Surroundings after(const Surroundings& inner, std::int32_t m) const {
            return {scale * inner.scale % m, (scale * inner.shift + shift) % m};
        }
    };
    /// The longer operand, until the shorter one is known; `around` surrounds both.
    struct Operand {
        Part part;
        std::int32_t operation = 0;
        bool left = false;
        Surroundings around;
    };
    static constexpr int kMostWaiting = 20;  // expressions are shorter than 2^20, and each operand less than half

    WHORL_HD constexpr Part split(const Part& part, const Surroundings& around) {
        const auto left = 1 + static_cast<std::int32_t>(random_.below(static_cast<std::uint32_t>(part.length - 4)));
        const std::int32_t operation = draw_operator(random_, task_.mult);
        tokens_[part.start] = task_.open();
        tokens_[part.start + 1 + left] = operation;
        tokens_[part.start + part.length - 1] = task_.close();
        const Part first{part.start + 1, left}, second{part.start + 2 + left, part.length - 3 - left};
        const bool left_waits = first.length > second.length;
        stack_[waiting_++] = {left_waits ? first : second, operation, left_waits, around};
        return left_waits ? second : first;
    }

    /// The value of L o R as a map of the operand that waits, the other one being `known`.
    WHORL_HD constexpr Surroundings with_other(const Operand& operand, std::int32_t known) const {
        const std::int32_t m = task_.modulus;
        if (operand.operation == kPlus) return {1, known};
        if (operand.operation == kTimes) return {known, 0};
        return operand.left ? Surroundings{1, modulo(-known, m)} : Surroundings{m - 1, known};
    }

    /// d, -d, (d) or (-d); returns its value.
    WHORL_HD constexpr std::int32_t leaf(const Part& part) {
        const bool negative = part.length % 2 == 0, bracketed = part.length >= 3;
        const auto digit = static_cast<std::int32_t>(random_.below(static_cast<std::uint32_t>(task_.modulus)));
        std::int32_t at = part.start;
        if (bracketed) tokens_[at++] = task_.open();
        if (negative) tokens_[at++] = kMinus;
        tokens_[at++] = kDigit + digit;
        if (bracketed) tokens_[at] = task_.close();
        return negative ? modulo(-digit, task_.modulus) : digit;
    }

    const ModularArithmeticBrackets& task_;
    Random& random_;
    std::int32_t* tokens_;
    Operand stack_[kMostWaiting]{};
    int waiting_ = 0;
};

WHORL_HD constexpr std::int64_t ModularArithmeticBrackets::generate(const SampleKey& key, const SampleView& out) const {
    Random random = key.random();
    const std::int64_t length = draw_size(random, key.sizes) - 3;
    const std::int64_t begin = begin_sample(out, bos, begin_token()), end = begin + length;
    const std::int32_t value =
        BracketWriter(*this, random, out.tokens + begin).write(static_cast<std::int32_t>(length));
    for (std::int64_t t = begin; t < end; ++t) out.targets[t] = kUnsupervised;
    if (supervise == Supervise::all) out.targets[end - 1] = kDigit + value;
    out.tokens[end] = kEquals, out.targets[end] = kDigit + value;
    pad_sample(out, end + 1);
    return end + 1;
}

}  // namespace whorl
