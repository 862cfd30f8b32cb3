// The tokens that both arithmetic tasks use, and how people write their expressions.
//
// Tokens: 0 PAD, 1 +, 2 -, 3 *, 4 =, 5+d the digit d of 0 … m-1, then what a task adds.
#pragma once

#include <string>

#include "tasks/example.hpp"
#include "tasks/modular_sum.hpp"

namespace whorl {

inline constexpr std::int32_t kPlus = 1, kMinus = 2, kTimes = 3, kEquals = 4, kDigit = 5;

/// x modulo m, in 0 … m-1 for negative x, too.
WHORL_HD constexpr std::int32_t modulo(std::int32_t x, std::int32_t m) {
    return (x % m + m) % m;
}

/// One of {+,-} or, with `mult`, of {+,-,*}.
WHORL_HD constexpr std::int32_t draw_operator(Random& random, bool mult) {
    return kPlus + static_cast<std::int32_t>(random.below(mult ? 3 : 2));
}

/// Texts of the tokens that both tasks share; empty for others.
std::string arithmetic_token_text(std::int32_t token, std::int32_t modulus);

/// "2+3*4 = 4 (mod 5)", from an example whose last supervised position holds the value; `text` writes a token.
template <class Text>
std::string expression_text(const Example& example, std::int32_t modulus, std::int32_t begin, const Text& text) {
    std::string line;
    for (const std::int32_t token : example.tokens)
        if (token == kEquals)
            line += " = ";
        else if (token != begin)
            line += text(token);
    return line + text(example.targets.back()) + " (mod " + std::to_string(modulus) + ")";
}

}  // namespace whorl
