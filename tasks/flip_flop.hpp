// Flip-flop language (Liu et al., "Exposing attention glitches", 2023): one bit of memory, written, ignored and read.
//
// Tokens: 0 PAD, 1 write, 2 read, 3 ignore, 4 the bit 0, 5 the bit 1. A text is an instruction and a bit, again and
// again. The first instruction is write and the last is read; each of the others is ignore with probability `ignore`,
// and otherwise write or read, equally likely. Behind write and ignore stands a uniform bit, behind read the bit that
// was written last, which is asked for there. A text of size s has ⌊s/2⌋ instructions; the last bit is never an input.
#pragma once

#include "tasks/task.hpp"

namespace whorl {

struct FlipFlop {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kWrite = 1, kRead = 2, kIgnore = 3, kZero = 4;
    static constexpr std::int64_t kLeastSize = 4;

    double ignore = 0.8;
    std::int64_t smallest = kLeastSize;  // size of the shortest training example

    std::int64_t vocabulary() const { return kZero + 2; }
    double chance() const { return 0.5; }
    std::int64_t min_size() const { return smallest; }
    std::int64_t positions(std::int64_t size) const { return size / 2 * 2 - 1; }
    std::int64_t slots(std::int64_t length) const { return length / 2 + 1; }
    std::int64_t answers() const { return 0; }
    std::int64_t answer_tokens() const { return 1; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const FlipFlop&) {
    return "flip_flop";
}

template <class V>
void describe(V& v, FlipFlop& c) {
    v.field("ignore", c.ignore, range(0, 1));
    v.field("min_size", c.smallest, range(FlipFlop::kLeastSize, kLargestTaskSize));
}

WHORL_HD constexpr std::int64_t FlipFlop::generate(const SampleKey& key, const SampleView& out) const {
    Random random = key.random();
    const std::int64_t instructions = draw_size(random, key.sizes) / 2, used = 2 * instructions - 1;
    std::int32_t written = kZero;
    for (std::int64_t i = 0; i < instructions; ++i) {
        const bool passes = random.uniform() < ignore;
        const std::int32_t acts = random.below(2) == 0 ? kWrite : kRead;
        const std::int32_t bit = kZero + static_cast<std::int32_t>(random.below(2));
        const std::int32_t instruction = i == 0 ? kWrite : i + 1 == instructions ? kRead : passes ? kIgnore : acts;
        if (instruction == kWrite) written = bit;
        const bool reads = instruction == kRead;
        out.tokens[2 * i] = instruction, out.targets[2 * i] = reads ? written : kUnsupervised;
        if (2 * i + 1 < used) out.tokens[2 * i + 1] = reads ? written : bit, out.targets[2 * i + 1] = kUnsupervised;
    }
    pad_sample(out, used);
    return used;
}

}  // namespace whorl
