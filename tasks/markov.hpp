// Markov: a language whose best predictor is known. A fixed hidden chain of 8 states speaks 32 symbols; now and then a
// passage is said again, which is announced by a marker and a distance.
//
// Tokens: 0 PAD, 1 … 32 the symbols, 33 COPY, 33+d the distance d of 1 … `distances`.
//
// The chain begins in a uniform state. Whenever the text is free, a symbol of the state is said, and then the state
// changes. State s says symbol 1 + ((2s+1)·r + 4s) mod 32 with rank r = 0 … 31, whose weight is w(0) = 2^20,
// w(r+1) = w(r) - ⌊w(r)/4⌋ (the likeliest has about a quarter). It changes to (3s + 1 + k) mod 8 with weight 128 >> k,
// k = 0 … 7.
//
// Once `distances` symbols were said, every free place has one chance in `copy_every` to begin a copy instead
// (copy_every = 0: no copies): COPY, a distance d that is uniform in 1 … `distances`, and then `copy_length` symbols,
// each equal to the symbol d symbols before it (COPY and distances are not counted; d may be shorter than the passage).
// The chain stands still meanwhile.
//
// An example has the largest size that is asked for: of size s, s-1 inputs, and at each of them the next token is asked
// for. Results are bits a token, beside those of the exact forward filter, which no predictor undercuts on average.
#pragma once

#include <span>

#include "tasks/task.hpp"

namespace whorl {

struct Markov {
    static constexpr int kVersion = 1;
    static constexpr bool kInBits = true;
    static constexpr std::int32_t kStates = 8, kSymbols = 32;
    static constexpr std::int32_t kFirst = 1, kCopy = kFirst + kSymbols;  // behind it distance 1 …

    std::int32_t distances = 32, copy_length = 8, copy_every = 16;
    std::int64_t smallest = 2;  // the least that a range of sizes may begin with

    std::int64_t vocabulary() const { return kCopy + distances + 1; }
    double chance() const { return 1.0 / kSymbols; }
    std::int64_t min_size() const { return smallest; }
    std::int64_t positions(std::int64_t size) const { return size - 1; }
    std::int64_t slots(std::int64_t length) const { return length; }
    std::int64_t answers() const { return 0; }
    std::int64_t answer_tokens() const { return 1; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    /// What the exact forward filter loses on an example: the sum of -log p over its targets, in nats.
    double ideal_loss(std::span<const std::int32_t> tokens, std::span<const std::int32_t> targets) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const Markov&) {
    return "markov";
}

template <class V>
void describe(V& v, Markov& c) {
    v.field("distances", c.distances, range(1, 1 << 12));
    v.field("copy_length", c.copy_length, range(1, 1 << 12));
    v.field("copy_every", c.copy_every, range(0, 1 << 20));
    v.field("min_size", c.smallest, range(2, kLargestTaskSize));
}

/// The chain's weights, whole numbers: a draw below their sum picks one exactly.
namespace markov {

WHORL_HD constexpr std::int32_t next_weight(std::int32_t weight) {
    return weight - weight / 4;
}
inline constexpr std::int32_t kLikeliest = 1 << 20, kChange = 128, kChanges = 2 * kChange - 1;
WHORL_HD constexpr std::int32_t emissions() {
    std::int32_t sum = 0;
    for (std::int32_t rank = 0, weight = kLikeliest; rank < Markov::kSymbols; ++rank, weight = next_weight(weight))
        sum += weight;
    return sum;
}
WHORL_HD constexpr std::int32_t symbol_of(std::int32_t state, std::int32_t rank) {
    return Markov::kFirst + ((2 * state + 1) * rank + 4 * state) % Markov::kSymbols;
}
WHORL_HD constexpr std::int32_t state_after(std::int32_t state, std::int32_t k) {
    return (3 * state + 1 + k) % Markov::kStates;
}

}  // namespace markov

/// Writes one example: token i is the input at i and the target at i - 1.
class MarkovWriter {
public:
    WHORL_HD constexpr MarkovWriter(const Markov& task, const SampleView& out, Random& random, std::int64_t size)
        : task_(task), out_(out), random_(random), size_(size) {}

    WHORL_HD constexpr void write() {
        state_ = below(Markov::kStates);
        while (at_ < size_) {
            if (task_.copy_every > 0 && said_ >= task_.distances && below(task_.copy_every) == 0)
                copy(1 + below(task_.distances));
            else
                speak();
        }
    }

private:
    WHORL_HD constexpr std::int32_t below(std::int32_t n) {
        return static_cast<std::int32_t>(random_.below(static_cast<std::uint32_t>(n)));
    }
    WHORL_HD constexpr void put(std::int32_t token) {
        if (at_ >= size_) return;
        if (at_ > 0) out_.targets[at_ - 1] = token;
        if (at_ < size_ - 1) out_.tokens[at_] = token;
        ++at_;
    }
    WHORL_HD constexpr void say(std::int32_t symbol) {
        put(symbol);
        ++said_;
    }
    WHORL_HD constexpr void speak() {
        std::int32_t left = below(markov::emissions()), rank = 0;
        for (std::int32_t weight = markov::kLikeliest; left >= weight; weight = markov::next_weight(weight))
            left -= weight, ++rank;
        say(markov::symbol_of(state_, rank));
        std::int32_t change = below(markov::kChanges), k = 0;
        for (; change >= markov::kChange >> k; ++k) change -= markov::kChange >> k;
        state_ = markov::state_after(state_, k);
    }
    WHORL_HD constexpr bool is_symbol(std::int64_t t) const { return out_.tokens[t] < Markov::kCopy; }
    WHORL_HD constexpr void copy(std::int32_t distance) {
        std::int64_t from = at_;
        for (std::int32_t back = 0; back < distance; ++back)
            for (--from; !is_symbol(from); --from) {
            }
        put(Markov::kCopy);
        put(Markov::kCopy + distance);
        for (std::int32_t i = 0; i < task_.copy_length && at_ < size_; ++i, ++from) {
            while (!is_symbol(from)) ++from;
            say(out_.tokens[from]);
        }
    }

    const Markov& task_;
    const SampleView& out_;
    Random& random_;
    std::int64_t size_, at_ = 0;  // tokens in all, and written
    std::int64_t said_ = 0;       // symbols
    std::int32_t state_ = 0;
};

WHORL_HD constexpr std::int64_t Markov::generate(const SampleKey& key, const SampleView& out) const {
    Random random = key.random();
    MarkovWriter(*this, out, random, key.sizes.max).write();
    pad_sample(out, key.sizes.max - 1);
    return key.sizes.max - 1;
}

}  // namespace whorl
