// Multi-query associative recall (Arora et al., "Zoology", 2023): K keys with a value each, then each key once more, at
// places that thin out: say its value.
//
// Tokens, V = `symbols` of them: 0 PAD and blank, keys 1 … V/2-1, values V/2 … V-1.
//
// An example of size N with K pairs is k1 v1 … kK vK, all keys distinct, all values distinct, and then (N-2K)/2 places
// of two positions. Pair i is asked for at the i-th place drawn: places are drawn without replacement, place g (from 0)
// with a probability proportional to (g+1)^-0.99 among those left. At its first position stands the key, where the
// value is asked for; the second, and every other place, is filler: blanks, or with filler = uniform any of the V
// tokens (zoology's random_non_queries). The last position of all is never needed: there are N-1 inputs.
//
// The size decides the number of pairs: `slices` are pairs [N, K] in ascending order. An example is of a slice whose N
// lies in the range of sizes that the trainer asks for, each equally likely: training up to 512 with the four standard
// slices mixes all four in every batch, an evaluation at 128 is of [128, 8] alone, and slices = [[128, 8]] trains on
// that one. Where the range holds no slice, the example has the range's largest size and the pairs of the largest slice
// below it.
#pragma once

#include "tasks/distinct.hpp"
#include "tasks/task.hpp"

namespace whorl {

enum class Filler { blank, uniform };
constexpr auto enum_names(Filler) {
    return std::to_array<EnumName<Filler>>({{Filler::blank, "blank"}, {Filler::uniform, "uniform"}});
}

struct MqarSlice {
    std::int32_t size = 0, pairs = 0;
    friend constexpr bool operator==(const MqarSlice&, const MqarSlice&) = default;
};

struct Mqar {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kBlank = 0, kFirstKey = 1;
    static constexpr std::int32_t kMostSlices = 8, kMostPairs = 256, kMostSymbols = 1 << 17;

    std::int32_t symbols = 8192;
    Filler filler = Filler::blank;
    std::int32_t slice_count = 4;
    MqarSlice slices[kMostSlices] = {{64, 4}, {128, 8}, {256, 16}, {512, 64}};

    WHORL_HD constexpr std::int32_t first_value() const { return symbols / 2; }
    WHORL_HD constexpr bool is_key(std::int32_t token) const { return token >= kFirstKey && token < first_value(); }
    WHORL_HD constexpr bool is_value(std::int32_t token) const { return token >= first_value() && token < symbols; }
    /// Pairs of an example of that size, which is not below the smallest slice.
    WHORL_HD constexpr std::int32_t pairs_at(std::int64_t size) const {
        std::int32_t i = 0;
        while (i + 1 < slice_count && slices[i + 1].size <= size) ++i;
        return slices[i].pairs;
    }
    /// The size that a range comes to.
    WHORL_HD constexpr std::int64_t draw_slice(Random& random, const SizeRange& sizes) const;

    std::int64_t vocabulary() const { return symbols; }
    /// Of guessing among the values in the context where these are fewest.
    double chance() const;
    std::int64_t min_size() const { return slices[0].size; }
    std::int64_t positions(std::int64_t size) const { return size - 1; }
    std::int64_t slots(std::int64_t length) const;
    std::int64_t answers() const { return 0; }
    std::int64_t answer_tokens() const { return 1; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const Mqar&) {
    return "mqar";
}

/// What is wrong with such slices; empty for none.
std::string wrong_slices(const std::vector<std::vector<std::int64_t>>& slices, std::int64_t symbols);

template <class V>
void describe(V& v, Mqar& c) {
    v.field("symbols", c.symbols, range(8, Mqar::kMostSymbols));
    v.field("filler", c.filler);
    std::vector<std::vector<std::int64_t>> slices;
    for (std::int32_t i = 0; i < c.slice_count; ++i) slices.push_back({c.slices[i].size, c.slices[i].pairs});
    const auto before = slices;
    v.field("slices", slices, range(1, kLargestTaskSize));
    const std::string wrong = wrong_slices(slices, c.symbols);
    v.require(wrong.empty(), "slices", wrong);
    if (slices == before) return;  // a writer's task is not to be touched
    c.slice_count = static_cast<std::int32_t>(slices.size());
    for (std::size_t i = 0; i < slices.size(); ++i)
        c.slices[i] = {static_cast<std::int32_t>(slices[i][0]), static_cast<std::int32_t>(slices[i][1])};
}

/// Draws places without replacement: place g rings after an exponential time with rate (g+1)^-0.99, and the order of
/// the first K rings is the order of K draws.
class MqarPlaces {
public:
    WHORL_HD constexpr MqarPlaces(Random& random, std::int32_t pairs, std::int64_t places) {
        for (std::int32_t g = 0; g < places; ++g) {
            const double wait = -numerics::log(random.uniform() + 0x1p-53);  // in (0, 1]: its logarithm is finite
            keep(wait * numerics::exp(0.99 * numerics::log(static_cast<double>(g + 1))), g, pairs);
        }
    }
    /// The i-th place drawn.
    WHORL_HD constexpr std::int32_t operator[](std::int32_t i) const { return place_[i]; }

private:
    WHORL_HD constexpr void keep(double time, std::int32_t place, std::int32_t pairs) {
        if (count_ == pairs && time >= time_[count_ - 1]) return;
        if (count_ < pairs) ++count_;
        std::int32_t i = count_ - 1;
        for (; i > 0 && time_[i - 1] > time; --i) time_[i] = time_[i - 1], place_[i] = place_[i - 1];
        time_[i] = time, place_[i] = place;
    }

    std::int32_t count_ = 0;
    double time_[Mqar::kMostPairs]{};
    std::int32_t place_[Mqar::kMostPairs]{};
};

WHORL_HD constexpr std::int64_t Mqar::draw_slice(Random& random, const SizeRange& sizes) const {
    std::int32_t below = 0, within = 0;
    for (std::int32_t i = 0; i < slice_count; ++i) {
        below += slices[i].size < sizes.min ? 1 : 0;
        within += slices[i].size >= sizes.min && slices[i].size <= sizes.max ? 1 : 0;
    }
    if (within == 0) return sizes.max;
    return slices[below + static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(within)))].size;
}

WHORL_HD constexpr std::int64_t Mqar::generate(const SampleKey& key, const SampleView& out) const {
    Random random = key.random();
    const std::int64_t size = draw_slice(random, key.sizes), used = size - 1;
    const std::int32_t pairs = pairs_at(size);
    std::int32_t sorted[kMostPairs]{};
    for (std::int32_t i = 0; i < pairs; ++i)
        out.tokens[2 * i] = kFirstKey + take_other(random, first_value() - kFirstKey, sorted, i);
    for (std::int32_t i = 0; i < pairs; ++i)
        out.tokens[2 * i + 1] = first_value() + take_other(random, symbols - first_value(), sorted, i);
    const std::int64_t begin = 2 * std::int64_t{pairs};
    const MqarPlaces places(random, pairs, (size - begin) / 2);
    for (std::int64_t t = begin; t < used; ++t)
        out.tokens[t] = filler == Filler::blank
                            ? kBlank
                            : static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(symbols)));
    for (std::int64_t t = 0; t < used; ++t) out.targets[t] = kUnsupervised;
    for (std::int32_t i = 0; i < pairs; ++i) {
        const std::int64_t t = begin + 2 * std::int64_t{places[i]};
        out.tokens[t] = out.tokens[2 * i], out.targets[t] = out.tokens[2 * i + 1];
    }
    pad_sample(out, used);
    return used;
}

}  // namespace whorl
