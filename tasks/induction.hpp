// Induction heads (Fu et al., H3, 2023; Gu and Dao, Mamba, 2023): what came after the special token when it was there
// before?
//
// Tokens: 0 PAD, 1 … `symbols` the symbols, symbols+1 the special token. An example of size s has s-1 inputs: uniform
// symbols, the last of them replaced by the special token, and so is one more, each place that has a symbol behind it
// equally likely. That symbol is the answer at the end.
#pragma once

#include "tasks/task.hpp"

namespace whorl {

struct Induction {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kFirst = 1;
    static constexpr std::int64_t kLeastSize = 4;

    std::int32_t symbols = 16;
    std::int64_t smallest = kLeastSize;  // size of the shortest training example

    WHORL_HD constexpr std::int32_t special() const { return kFirst + symbols; }

    std::int64_t vocabulary() const { return special() + 1; }
    double chance() const { return 1.0 / symbols; }
    std::int64_t min_size() const { return smallest; }
    std::int64_t positions(std::int64_t size) const { return size - 1; }
    std::int64_t slots(std::int64_t) const { return 1; }
    std::int64_t answers() const { return 1; }
    std::int64_t answer_tokens() const { return 1; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const Induction&) {
    return "induction";
}

template <class V>
void describe(V& v, Induction& c) {
    v.field("symbols", c.symbols, range(2, 1 << 16));
    v.field("min_size", c.smallest, range(Induction::kLeastSize, kLargestTaskSize));
}

WHORL_HD constexpr std::int64_t Induction::generate(const SampleKey& key, const SampleView& out) const {
    Random random = key.random();
    const std::int64_t used = draw_size(random, key.sizes) - 1;
    const std::int64_t place = random.below(static_cast<std::uint32_t>(used - 2));
    for (std::int64_t t = 0; t < used; ++t) {
        out.tokens[t] = kFirst + static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(symbols)));
        out.targets[t] = kUnsupervised;
    }
    out.tokens[place] = out.tokens[used - 1] = special();
    out.targets[used - 1] = out.tokens[place + 1];
    pad_sample(out, used);
    return used;
}

}  // namespace whorl
