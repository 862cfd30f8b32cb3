#include "tasks/arithmetic.hpp"

namespace whorl {

std::string arithmetic_token_text(std::int32_t token, std::int32_t modulus) {
    constexpr const char* texts[] = {"_", "+", "-", "*", "="};
    if (token < 0 || token >= kDigit + modulus) return "";
    return token < kDigit ? texts[token] : std::to_string(token - kDigit);
}

}  // namespace whorl
