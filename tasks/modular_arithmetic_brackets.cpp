#include "tasks/modular_arithmetic_brackets.hpp"

namespace whorl {

std::string ModularArithmeticBrackets::token_text(std::int32_t token) const {
    const std::string text = arithmetic_token_text(token, modulus);
    if (!text.empty()) return text;
    if (token == open()) return "(";
    if (token == close()) return ")";
    return bos && token == begin_token() ? "^" : "?";
}

std::string ModularArithmeticBrackets::example_text(const Example& example) const {
    if (supervise == Supervise::all) return "";
    return expression_text(example, modulus, begin_token(), [this](std::int32_t token) { return token_text(token); });
}

const char* ModularArithmeticBrackets::about() {
    return "A nested expression; the answer at = is its value modulo `modulus`. An example of size s has s-3 tokens "
           "and then =. With mult = true, * joins + and -, and 0 becomes the most frequent answer by far: compare with "
           "the baseline, and with no column that is without it.";
}

}  // namespace whorl
