// Parity: is the number of ones in a bit string odd? The smallest task that needs a state which turns instead of
// fading.
//
// Tokens: 0 PAD, 1 the bit 0, 2 the bit 1 (and, with `bos`, 3 the beginning of the sequence). An example of size s has
// s-1 uniform bits; the answer, one of the same two symbols, is asked for at the last bit (supervise = all: at every
// bit, for its prefix).
#pragma once

#include "tasks/stream.hpp"

namespace whorl {

struct Parity : StreamOptions {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kZero = 1, kOne = 2, kBegin = 3;

    std::int64_t vocabulary() const { return bos ? 4 : 3; }
    double chance() const { return 0.5; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const Parity&) {
    return "parity";
}

template <class V>
void describe(V& v, Parity& c) {
    describe_stream(v, c, 2);
}

struct ParityTrack {
    std::int32_t odd = 0;
    WHORL_HD constexpr std::int32_t read(std::int32_t bit) { return Parity::kZero + (odd ^= bit); }
};

WHORL_HD constexpr std::int64_t Parity::generate(const SampleKey& key, const SampleView& out) const {
    return generate_stream(key, out, *this, {kZero, 2, kBegin}, ParityTrack{});
}

}  // namespace whorl
