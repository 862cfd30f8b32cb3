#include "tasks/group_word.hpp"

namespace whorl {

std::string GroupWord::token_text(std::int32_t token) const {
    if (token < 0 || token >= vocabulary()) return "?";
    if (token == kPad) return "_";
    return token == kElement + group.order() ? "^" : element_text(group, token - kElement);
}

const char* GroupWord::about() {
    return "Uniform elements of a group; the answer at each is the product so far, acc ← acc∘x. As permutations are "
           "composed like functions, the newest one acts first: after 213 and 132 the product is 231, for 2 goes to "
           "3 and on to 3. Groups: Z2 … Z4096, S3, S4, S5, A3, A4, A5 and direct products such as A4xZ5. An example of "
           "size s has s-1 elements.";
}

}  // namespace whorl
