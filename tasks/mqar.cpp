#include "tasks/mqar.hpp"

#include <algorithm>

namespace whorl {

double Mqar::chance() const {
    std::int32_t fewest = slices[0].pairs;
    for (std::int32_t i = 1; i < slice_count; ++i) fewest = std::min(fewest, slices[i].pairs);
    return 1.0 / fewest;
}

std::int64_t Mqar::slots(std::int64_t length) const {
    std::int32_t most = slices[0].pairs;
    for (std::int32_t i = 1; i < slice_count; ++i)
        if (slices[i].size <= length + 1) most = std::max(most, slices[i].pairs);
    return most;
}

std::string Mqar::token_text(std::int32_t token) const {
    if (token < 0 || token >= symbols) return "?";
    if (token == kBlank) return "_";
    return token < first_value() ? "k" + std::to_string(token) : "v" + std::to_string(token - first_value());
}

const char* Mqar::about() {
    return "Keys with a value each, then each key once more: the answer there is its value. An example of size N has K "
           "pairs of keys k1 … and values v0 …, then the keys again in places of two positions, the nearer the "
           "likelier "
           "(the i-th of them with a weight of i^-0.99), and filler elsewhere: blanks, or with filler = uniform any "
           "token. The size decides the number of pairs, by slices = [[N, K], …]: sizes up to 512 mix the four of the "
           "default, each equally often, a size of 128 alone is [128, 8]. A size that is no slice's has the pairs of "
           "the largest slice below it. Guessing among the values in the context is right once in K; the accuracy of "
           "guessing that scales results is that of the slice with the fewest pairs.";
}

std::string wrong_slices(const std::vector<std::vector<std::int64_t>>& slices, std::int64_t symbols) {
    const auto text = [](std::int64_t number) { return std::to_string(number); };
    const std::int64_t keys = symbols / 2 - 1;
    if (slices.empty() || slices.size() > Mqar::kMostSlices)
        return "expected 1 to " + text(Mqar::kMostSlices) + " pairs [size, keys]";
    std::int64_t before = 0;
    for (const auto& slice : slices) {
        if (slice.size() != 2) return "expected pairs [size, keys], such as [[64, 4], [128, 8]]";
        const std::int64_t size = slice[0], pairs = slice[1];
        if (size <= before) return "sizes must ascend: " + text(size) + " follows " + text(before);
        if (pairs > std::min<std::int64_t>(keys, Mqar::kMostPairs))
            return "at most " + text(std::min<std::int64_t>(keys, Mqar::kMostPairs)) + " keys, not " + text(pairs);
        if (size < 4 * pairs)
            return text(pairs) + " keys need a size of " + text(4 * pairs) + " at least, not " + text(size);
        before = size;
    }
    return "";
}

}  // namespace whorl
