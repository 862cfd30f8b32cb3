#include "tasks/cycle_navigation.hpp"

namespace whorl {

std::string CycleNavigation::token_text(std::int32_t token) const {
    constexpr const char* steps[] = {"_", "0", "+1", "-1"};
    if (token < 0 || token >= vocabulary()) return "?";
    if (token < kPosition) return steps[token];
    return token == kPosition + cycle ? "^" : "p" + std::to_string(token - kPosition);
}

const char* CycleNavigation::about() {
    return "Steps of 0, +1 or -1 on a cycle, from position p0; the answer at the last one is the position reached. An "
           "example of size s has s-1 steps. After few steps positions near p0 are more likely than the others: see "
           "the baseline.";
}

}  // namespace whorl
