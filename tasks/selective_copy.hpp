// Selective copying (Gu and Dao, Mamba, 2023): data scattered among blanks, to be said in order once they are over.
//
// Tokens, A = `symbols` of them: 0 PAD and blank, data 1 … A-2, the marker A-1. An example of size L has L blanks with
// M = `data` uniform data tokens among them, every choice of their places equally likely, and then M markers, at which
// the data are asked for in their order: L+2M inputs. (The literature counts the blanks; so does the size here.)
#pragma once

#include "tasks/task.hpp"

namespace whorl {

struct SelectiveCopy {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kBlank = 0, kFirst = 1;

    std::int32_t symbols = 16, data = 16;
    std::int64_t smallest = 1;  // blanks of the shortest training example

    WHORL_HD constexpr std::int32_t marker() const { return symbols - 1; }

    std::int64_t vocabulary() const { return symbols; }
    double chance() const { return 1.0 / (symbols - 2); }
    std::int64_t min_size() const { return smallest; }
    std::int64_t positions(std::int64_t size) const { return size + 2 * std::int64_t{data}; }
    std::int64_t slots(std::int64_t) const { return data; }
    std::int64_t answers() const { return 1; }
    std::int64_t answer_tokens() const { return data; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const SelectiveCopy&) {
    return "selective_copy";
}

template <class V>
void describe(V& v, SelectiveCopy& c) {
    v.field("symbols", c.symbols, range(4, 1 << 16));
    v.field("data", c.data, range(1, 1 << 12));
    v.field("min_size", c.smallest, range(1, kLargestTaskSize));
}

WHORL_HD constexpr std::int64_t SelectiveCopy::generate(const SampleKey& key, const SampleView& out) const {
    Random random = key.random();
    const std::int64_t scattered = draw_size(random, key.sizes) + data, used = scattered + data;
    std::int64_t written = 0;
    for (std::int64_t t = 0; t < scattered; ++t) {
        out.tokens[t] = kBlank, out.targets[t] = kUnsupervised;
        if (random.below(static_cast<std::uint32_t>(scattered - t)) >= data - written) continue;
        out.tokens[t] = kFirst + static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(symbols - 2)));
        out.targets[scattered + written++] = out.tokens[t];
    }
    for (std::int64_t t = scattered; t < used; ++t) out.tokens[t] = marker();
    pad_sample(out, used);
    return used;
}

}  // namespace whorl
