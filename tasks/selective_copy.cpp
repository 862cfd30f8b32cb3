#include "tasks/selective_copy.hpp"

namespace whorl {

std::string SelectiveCopy::token_text(std::int32_t token) const {
    if (token < 0 || token >= symbols) return "?";
    if (token == kBlank) return "_";
    return token == marker() ? ">" : std::to_string(token);
}

const char* SelectiveCopy::about() {
    return "Data tokens scattered among blanks, then as many markers >: at each of them the next of the data is asked "
           "for. The size counts the blanks, as in the literature, which uses 256 to 4096 of them with data = 16: an "
           "example of size L has L + 2 data inputs. It is found when all of its data are right.";
}

}  // namespace whorl
