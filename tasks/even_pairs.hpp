// Even pairs: is the number of neighbours ab and ba together even? It is exactly when the first and the last symbol are
// equal, so that one bit remembered from the start is enough: a task for any state that does not fade.
//
// Tokens: 0 PAD, 1 a, 2 b (and, with `bos`, 3 the beginning of the sequence). An example of size s has s-1 uniform
// symbols; the answer at the last one is a when it equals the first, else b (supervise = all: at every symbol, for its
// prefix; at the first one that is always a).
#pragma once

#include "tasks/stream.hpp"

namespace whorl {

struct EvenPairs : StreamOptions {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kA = 1, kB = 2, kBegin = 3;

    std::int64_t vocabulary() const { return bos ? 4 : 3; }
    double chance() const { return 0.5; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const EvenPairs&) {
    return "even_pairs";
}

template <class V>
void describe(V& v, EvenPairs& c) {
    describe_stream(v, c, 3);  // a single symbol has one answer only
}

struct EvenPairsTrack {
    std::int32_t first = -1;
    WHORL_HD constexpr std::int32_t read(std::int32_t symbol) {
        if (first < 0) first = symbol;
        return symbol == first ? EvenPairs::kA : EvenPairs::kB;
    }
};

WHORL_HD constexpr std::int64_t EvenPairs::generate(const SampleKey& key, const SampleView& out) const {
    return generate_stream(key, out, *this, {kA, 2, kBegin}, EvenPairsTrack{});
}

}  // namespace whorl
