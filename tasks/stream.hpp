// What the state-tracking tasks have in common: which sizes there are, where answers are asked for, and, for those that
// read uniform symbols one after another (parity, modular_sum, …), the loop that writes an example.
//
// An example of size s has s-1 symbols: the size counts the answer, which is never an input. With `bos` a token that
// begins the sequence comes before them.
#pragma once

#include "tasks/task.hpp"

namespace whorl {

struct StreamOptions {
    std::int64_t smallest = 3;  // size of the shortest training example
    Supervise supervise = Supervise::last;
    bool bos = false;

    std::int64_t min_size() const { return smallest; }
    std::int64_t positions(std::int64_t size) const { return size - 1 + (bos ? 1 : 0); }
    std::int64_t slots(std::int64_t length) const { return supervise == Supervise::last ? 1 : length; }
    std::int64_t answers() const { return supervise == Supervise::last ? 1 : 0; }
    std::int64_t answer_tokens() const { return 1; }
};

/// The options as config keys; `least` is the smallest size that the task can make.
template <class V>
void describe_stream(V& v, StreamOptions& c, std::int64_t least) {
    v.field("min_size", c.smallest, range(static_cast<double>(least), kLargestTaskSize));
    v.field("supervise", c.supervise);
    v.field("bos", c.bos);
}

/// Writes the token that begins the sequence, if there is one. Returns the position where the content starts.
WHORL_HD constexpr std::int64_t begin_sample(const SampleView& out, bool bos, std::int32_t token) {
    if (!bos) return 0;
    out.tokens[0] = token, out.targets[0] = kUnsupervised;
    return 1;
}

/// The symbols of a stream are the tokens first … first+count-1.
struct StreamSymbols {
    std::int32_t first, count;
    std::int32_t begin;  // the token that begins the sequence
};

/// Draws the size, then symbol after symbol. `track.read(symbol)` takes each, from 0, and returns the token that
/// answers for the prefix that ends there. The next symbol is drawn before one is read: draws do not wait for each
/// other, reading does, and on a GPU one thread has a sequence.
template <class Track>
WHORL_HD constexpr std::int64_t generate_stream(const SampleKey& key, const SampleView& out,
                                                const StreamOptions& options, const StreamSymbols& symbols,
                                                Track track) {
    Random random = key.random();
    const auto draw = [&] {
        return static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(symbols.count)));
    };
    const std::int64_t count = draw_size(random, key.sizes) - 1;
    const std::int64_t begin = begin_sample(out, options.bos, symbols.begin), used = begin + count;
    std::int32_t next = draw();
    for (std::int64_t t = begin; t < used; ++t) {
        const std::int32_t symbol = next;
        next = draw();
        const std::int32_t answer = track.read(symbol);
        out.tokens[t] = symbols.first + symbol;
        out.targets[t] = options.supervise == Supervise::all || t == used - 1 ? answer : kUnsupervised;
    }
    pad_sample(out, used);
    return used;
}

}  // namespace whorl
