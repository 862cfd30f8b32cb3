#include "tasks/modular_arithmetic.hpp"

namespace whorl {

std::string ModularArithmetic::token_text(std::int32_t token) const {
    const std::string text = arithmetic_token_text(token, modulus);
    if (!text.empty()) return text;
    return bos && token == kDigit + modulus ? "^" : "?";
}

std::string ModularArithmetic::example_text(const Example& example) const {
    if (supervise == Supervise::all) return "";
    return expression_text(example, modulus, kDigit + modulus,
                           [this](std::int32_t token) { return token_text(token); });
}

const char* ModularArithmetic::about() {
    return "Digits joined by +, - and *; the answer at = is the value modulo `modulus`, * before + and -. An example "
           "of size s (odd; an even request means s-1) has s-2 tokens and then =. mult = false leaves * out.";
}

}  // namespace whorl
