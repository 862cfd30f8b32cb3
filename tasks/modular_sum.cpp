#include "tasks/modular_sum.hpp"

namespace whorl {

std::string ModularSum::token_text(std::int32_t token) const {
    if (token < 0 || token >= vocabulary()) return "?";
    if (token == kPad) return "_";
    return token == kZero + modulus ? "^" : std::to_string(token - kZero);
}

const char* ModularSum::about() {
    return "Uniform digits; the answer at the last one is their sum modulo `modulus`. An example of size s has s-1 "
           "digits. With modulus = 2 it is parity.";
}

}  // namespace whorl
