#include "tasks/induction.hpp"

namespace whorl {

std::string Induction::token_text(std::int32_t token) const {
    if (token < 0 || token >= vocabulary()) return "?";
    if (token < kFirst) return "_";
    return token == special() ? "*" : std::to_string(token - kFirst);
}

const char* Induction::about() {
    return "Random symbols with a special token * among them, and * once more at the end: the answer is the symbol "
           "that stood behind the first *. An example of size s has s-1 inputs. Published models train at 256 "
           "(min_size = 256 for that size alone) and are tested at 64 … 1048576.";
}

}  // namespace whorl
