#include "tasks/flip_flop.hpp"

namespace whorl {

std::string FlipFlop::token_text(std::int32_t token) const {
    constexpr const char* texts[] = {"_", "w", "r", "i", "0", "1"};
    return token >= 0 && token < vocabulary() ? texts[token] : "?";
}

const char* FlipFlop::about() {
    return "Instructions w (write), i (ignore) and r (read), each with a bit behind it: behind r stands the bit that "
           "was written last, which is asked for there. Published models train with ignore = 0.8 at 512 and are "
           "tested with 0.98 and 0.1. Error is 1 - accuracy.";
}

}  // namespace whorl
