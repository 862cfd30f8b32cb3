// Needle in a haystack: after a long context, repeat the value that was said to belong to a key.
//
// Tokens: 0 PAD, 1 KEY, 2 QUERY, then key_symbols keys, value_symbols value tokens, filler_symbols filler tokens.
//
// A needle is KEY k v, where v has `value_tokens` uniform value tokens (a number: 7 of 10 symbols; a uuid: 32 of 16).
// `keys` distinct keys have `values` needles each. The context is filler with the needles in it; then each of the first
// `queries` keys drawn is asked for: QUERY k v, its values in the order of the context, one after the other. These
// value tokens are inputs (teacher forcing): the label of a value's first token stands at the token before it, which is
// k or the value before, that of its i-th token at its token i-1. The very last value token is a label only, never an
// input: an example of size s has s-1 inputs.
//
// Filler is, by `haystack`,
//     repeat   the filler tokens in their order, again and again
//     noise    uniform filler tokens
//     needles  needles with keys that nobody asks for (uniform among the keys not drawn, hence also twice), and before
//              them as many filler tokens, in their order, as are too few for another needle
// With U the units of filler (tokens; needles under `needles`), each needle stands behind a number of units that is
// uniform in 0 … U, its depth times U; needles behind the same unit keep the order of drawing. A fixed `depth` puts the
// first needle of the first key asked for behind depth·U units, rounded to the nearest.
#pragma once

#include "tasks/distinct.hpp"
#include "tasks/task.hpp"

namespace whorl {

enum class Haystack { repeat, noise, needles };
constexpr auto enum_names(Haystack) {
    return std::to_array<EnumName<Haystack>>(
        {{Haystack::repeat, "repeat"}, {Haystack::noise, "noise"}, {Haystack::needles, "needles"}});
}

struct Needle {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kKey = 1, kQuery = 2, kFirstKey = 3;
    static constexpr std::int32_t kMostKeys = 64, kMostNeedles = 256, kMostSymbols = 1 << 16;

    Haystack haystack = Haystack::noise;
    std::int32_t keys = 1, values = 1, value_tokens = 1, queries = 1;
    double depth = -1;  // 0: at the beginning … 1: right before the query; -1: anywhere
    std::int32_t key_symbols = 64, value_symbols = 64, filler_symbols = 16;
    std::int64_t smallest = 0;  // size of the shortest training example; 0: the smallest possible

    WHORL_HD constexpr std::int32_t first_value() const { return kFirstKey + key_symbols; }
    WHORL_HD constexpr std::int32_t first_filler() const { return first_value() + value_symbols; }
    WHORL_HD constexpr std::int32_t needles() const { return keys * values; }
    /// Tokens of one needle, and of all questions with their answers.
    WHORL_HD constexpr std::int64_t needle_length() const { return 2 + std::int64_t{value_tokens}; }
    WHORL_HD constexpr std::int64_t query_length() const { return queries * (2 + std::int64_t{values} * value_tokens); }
    /// The size without any filler.
    std::int64_t least_size() const { return needles() * needle_length() + query_length(); }

    std::int64_t vocabulary() const { return first_filler() + filler_symbols; }
    double chance() const { return 1.0 / value_symbols; }
    std::int64_t min_size() const { return smallest == 0 ? least_size() : smallest; }
    std::int64_t positions(std::int64_t size) const { return size - 1; }
    std::int64_t slots(std::int64_t) const { return answers() * value_tokens; }
    std::int64_t answers() const { return std::int64_t{queries} * values; }
    std::int64_t answer_tokens() const { return value_tokens; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const Needle&) {
    return "needle";
}

template <class V>
void describe(V& v, Needle& c) {
    v.field("haystack", c.haystack);
    v.field("keys", c.keys, range(1, Needle::kMostKeys));
    v.field("values", c.values, range(1, Needle::kMostNeedles));
    v.field("value_tokens", c.value_tokens, range(1, 1024));
    v.field("queries", c.queries, range(1, Needle::kMostKeys));
    v.field("depth", c.depth, range(-1, 1));
    v.field("key_symbols", c.key_symbols, range(1, Needle::kMostSymbols));
    v.field("value_symbols", c.value_symbols, range(2, Needle::kMostSymbols));
    v.field("filler_symbols", c.filler_symbols, range(1, Needle::kMostSymbols));
    v.field("min_size", c.smallest, range(0, kLargestTaskSize));
    const auto text = [](std::int64_t number) { return std::to_string(number); };
    v.require(c.needles() <= Needle::kMostNeedles, "values",
              "with " + text(c.keys) + " keys at most " + text(Needle::kMostNeedles / c.keys));
    v.require(c.queries <= c.keys, "queries", "at most " + text(c.keys) + ", as many as there are keys");
    v.require(c.depth == -1 || c.depth >= 0, "depth", "expected a share of the haystack in [0, 1], or -1 for anywhere");
    const std::int64_t symbols = c.keys + (c.haystack == Haystack::needles ? 1 : 0);
    v.require(c.key_symbols >= symbols, "key_symbols", "at least " + text(symbols) + " with these keys and haystack");
    v.require(c.smallest == 0 || c.smallest >= c.least_size(), "min_size",
              "these needles and queries need at least " + text(c.least_size()) + " (0 means just that)");
}

/// Writes one example, token after token.
class NeedleWriter {
public:
    WHORL_HD constexpr NeedleWriter(const Needle& task, const SampleView& out, Random& random)
        : task_(task), out_(out), random_(random) {}

    /// Returns the number of inputs, size-1.
    WHORL_HD constexpr std::int64_t write(std::int64_t size) {
        const bool distractors = task_.haystack == Haystack::needles;
        const std::int64_t filler = size - task_.needles() * task_.needle_length() - task_.query_length();
        const std::int64_t unit = distractors ? task_.needle_length() : 1;
        draw_keys();
        draw_places(filler / unit);
        for (std::int64_t i = 0; i < filler % unit; ++i) put(pattern(i));
        std::int32_t next = 0;
        for (std::int64_t u = 0; u <= filler / unit; ++u) {
            for (; next < task_.needles() && place_[next].behind == u; ++next) put_needle(place_[next]);
            if (u < filler / unit) put_filler(u);
        }
        for (std::int32_t query = 0; query < task_.queries; ++query) put_query(query);
        return at_;
    }

private:
    /// Needle `index` belongs to key index / values.
    struct Place {
        std::int32_t behind = 0;  // units of filler
        std::int32_t index = 0;
        std::int32_t value = 0;  // position of its value's first token, once written
    };

    WHORL_HD constexpr std::int32_t below(std::int32_t n) {
        return static_cast<std::int32_t>(random_.below(static_cast<std::uint32_t>(n)));
    }
    WHORL_HD constexpr void draw_keys() {
        for (std::int32_t i = 0; i < task_.keys; ++i) key_[i] = take_other(random_, task_.key_symbols, sorted_, i);
    }
    /// Places of all needles, sorted by insertion: there are at most kMostNeedles.
    WHORL_HD constexpr void draw_places(std::int64_t units) {
        for (std::int32_t i = 0; i < task_.needles(); ++i) {
            Place place{below(static_cast<std::int32_t>(units + 1)), i, 0};
            // A fused multiply-add, so that no compiler's choice to contract the two shows in the result.
            if (i == 0 && task_.depth >= 0)
                place.behind = static_cast<std::int32_t>(numerics::fma(task_.depth, static_cast<double>(units), 0.5));
            std::int32_t j = i;
            for (; j > 0 && place_[j - 1].behind > place.behind; --j) place_[j] = place_[j - 1];
            place_[j] = place;
        }
    }

    WHORL_HD constexpr std::int32_t pattern(std::int64_t i) const {
        return task_.first_filler() + static_cast<std::int32_t>(i % task_.filler_symbols);
    }
    WHORL_HD constexpr void put(std::int32_t token) { out_.tokens[at_] = token, out_.targets[at_++] = kUnsupervised; }
    WHORL_HD constexpr void put_key(std::int32_t marker, std::int32_t key) {
        put(marker);
        put(Needle::kFirstKey + key);
    }
    WHORL_HD constexpr void put_values() {
        for (std::int32_t i = 0; i < task_.value_tokens; ++i) put(task_.first_value() + below(task_.value_symbols));
    }
    WHORL_HD constexpr void put_needle(Place& place) {
        put_key(Needle::kKey, key_[place.index / task_.values]);
        place.value = static_cast<std::int32_t>(at_);
        put_values();
    }
    WHORL_HD constexpr void put_filler(std::int64_t unit) {
        if (task_.haystack == Haystack::repeat) return put(pattern(unit));
        if (task_.haystack == Haystack::noise) return put(task_.first_filler() + below(task_.filler_symbols));
        std::int32_t where = 0;
        put_key(Needle::kKey, draw_other(random_, task_.key_symbols, sorted_, task_.keys, where));
        put_values();
    }
    WHORL_HD constexpr void put_query(std::int32_t query) {
        put_key(Needle::kQuery, key_[query]);
        std::int32_t left = task_.values * task_.value_tokens;
        for (std::int32_t n = 0; n < task_.needles(); ++n) {
            if (place_[n].index / task_.values != query) continue;
            for (std::int32_t i = 0; i < task_.value_tokens; ++i, --left) {
                const std::int32_t token = out_.tokens[place_[n].value + i];
                out_.targets[at_ - 1] = token;
                if (left > 1 || query + 1 < task_.queries) put(token);
            }
        }
    }

    const Needle& task_;
    const SampleView& out_;
    Random& random_;
    std::int64_t at_ = 0;
    std::int32_t key_[Needle::kMostKeys]{}, sorted_[Needle::kMostKeys]{};  // as drawn, and in ascending order
    Place place_[Needle::kMostNeedles]{};
};

WHORL_HD constexpr std::int64_t Needle::generate(const SampleKey& key, const SampleView& out) const {
    Random random = key.random();
    const std::int64_t size = draw_size(random, key.sizes);
    const std::int64_t used = NeedleWriter(*this, out, random).write(size);
    pad_sample(out, used);
    return used;
}

}  // namespace whorl
