// Parity: is the number of ones in a bit string odd? The smallest task that needs a state which turns instead of
// fading.
//
// Tokens: 0 PAD, 1 the bit 0, 2 the bit 1 (and, with `bos`, 3 the beginning of the sequence). An example of size s has
// s-1 uniform bits; the answer, one of the same two symbols, is asked for at the last bit (supervise = all: at every
// bit, for its prefix).
#pragma once

#include "tasks/task.hpp"

namespace whorl {

struct Parity {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kZero = 1, kOne = 2, kBegin = 3;

    std::int64_t smallest = 3;  // size of the shortest training example
    Supervise supervise = Supervise::last;
    bool bos = false;

    std::int64_t vocabulary() const { return bos ? 4 : 3; }
    double chance() const { return 0.5; }
    std::int64_t min_size() const { return smallest; }
    std::int64_t positions(std::int64_t size) const { return size - 1 + (bos ? 1 : 0); }
    std::int64_t slots(std::int64_t length) const { return supervise == Supervise::last ? 1 : length; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const Parity&) {
    return "parity";
}

template <class V>
void describe(V& v, Parity& c) {
    v.field("min_size", c.smallest, range(2, 1 << 20));
    v.field("supervise", c.supervise);
    v.field("bos", c.bos);
}

WHORL_HD constexpr std::int64_t Parity::generate(const SampleKey& key, const SampleView& out) const {
    Random random = key.random();
    const std::int64_t bits = draw_size(random, key.sizes) - 1, begin = bos ? 1 : 0, used = begin + bits;
    if (bos) out.tokens[0] = kBegin, out.targets[0] = kUnsupervised;
    std::int32_t odd = 0;
    for (std::int64_t t = begin; t < used; ++t) {
        const auto bit = static_cast<std::int32_t>(random.below(2));
        odd ^= bit;
        out.tokens[t] = kZero + bit;
        out.targets[t] = supervise == Supervise::all || t == used - 1 ? kZero + odd : kUnsupervised;
    }
    pad_sample(out, used);
    return used;
}

}  // namespace whorl
