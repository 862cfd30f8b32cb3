#include "tasks/even_pairs.hpp"

namespace whorl {

std::string EvenPairs::token_text(std::int32_t token) const {
    constexpr const char* texts[] = {"_", "a", "b", "^"};
    return token >= 0 && token < vocabulary() ? texts[token] : "?";
}

const char* EvenPairs::about() {
    return "Uniform symbols a and b; the answer at the last one is a when it equals the first, else b. An example of "
           "size s has s-1 symbols. Equivalently: is the number of neighbours ab and ba together even?";
}

}  // namespace whorl
