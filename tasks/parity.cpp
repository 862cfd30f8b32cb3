#include "tasks/parity.hpp"

namespace whorl {

std::string Parity::token_text(std::int32_t token) const {
    constexpr const char* texts[] = {"_", "0", "1", "^"};
    return token >= 0 && token < vocabulary() ? texts[token] : "?";
}

const char* Parity::about() {
    return "Uniform bits; the answer at the last one is their sum modulo 2. An example of size s has s-1 bits. "
           "Needs a state that can change sign (or turn by half a circle) with every 1.";
}

}  // namespace whorl
