#include "tasks/needle.hpp"

namespace whorl {

std::string Needle::token_text(std::int32_t token) const {
    constexpr const char* marks[] = {"_", "KEY", "QUERY"};
    if (token < 0 || token >= vocabulary()) return "?";
    if (token < kFirstKey) return marks[token];
    if (token < first_value()) return "k" + std::to_string(token - kFirstKey);
    if (token < first_filler()) return "v" + std::to_string(token - first_value());
    return "f" + std::to_string(token - first_filler());
}

const char* Needle::about() {
    return "A context of filler with needles KEY k v in it, then QUERY k: the answer is v, token by token. Keys are k0 "
           "…, value tokens v0 …, filler tokens f0 … The value's tokens follow the query as inputs, all but the very "
           "last. haystack = repeat (the filler tokens in their order), noise (uniform filler tokens), or needles "
           "(needles with other keys). keys > 1 is multi-key, values > 1 multi-value (one key has several needles; all "
           "are asked for, in order), queries > 1 multi-query; a number has value_tokens = 7 and value_symbols = 10, a "
           "uuid 32 and 16. depth = 0 … 1 places the needle asked for first, -1 anywhere. A needle is found when all "
           "of its tokens are right.";
}

}  // namespace whorl
