#include "tasks/markov.hpp"

#include <array>
#include <cmath>
#include <string>

#include "tasks/registry.hpp"
#include "tests/support/task_support.hpp"

using namespace tasktest;

namespace {

using Tokens = std::vector<std::int32_t>;
using Matrix = std::array<std::array<double, 8>, 8>;

/// The chain as it is documented: shares of ranks, by floating-point sums.
double says(int state, int symbol) {  // symbol 0 … 31
    double weight = 1048576, total = 0, own = 0;
    for (int rank = 0; rank < 32; ++rank) {
        if (((2 * state + 1) * rank + 4 * state) % 32 == symbol) own = weight;
        total += weight;
        weight -= std::floor(weight / 4);
    }
    return own / total;
}
double changes(int from, int to) {
    const int k = ((to - 3 * from - 1) % 8 + 8) % 8;
    return std::pow(2.0, 7 - k) / 255;
}

/// All tokens: the inputs and the last target.
Tokens text_of(const Example& example) {
    Tokens text = example.tokens;
    text.push_back(example.targets.back());
    for (std::size_t t = 0; t + 1 < text.size(); ++t) REQUIRE(example.targets[t] == text[t + 1]);
    return text;
}

/// What each token is, by the documented ids: checks every copy against the symbols before it.
struct Parsed {
    Tokens free;                          // the chain's symbols, from 0
    std::int64_t places = 0, copies = 0;  // free places where a copy may begin; those where one does
    std::vector<std::int64_t> distances;
    double certain = 0;  // -log p of all that is not the chain's: markers, distances, and places that are none

    Parsed(const Markov& task, const Tokens& text) : distances(static_cast<std::size_t>(task.distances) + 1) {
        Tokens said;
        const double begins = 1.0 / std::max(task.copy_every, 1);
        for (std::size_t t = 0; t < text.size();) {
            const bool may = task.copy_every > 0 && static_cast<std::int64_t>(said.size()) >= task.distances;
            places += may ? 1 : 0;
            if (text[t] <= 32) {
                REQUIRE(text[t] >= 1);
                if (may && t > 0) certain -= std::log(1 - begins);
                said.push_back(text[t] - 1), free.push_back(text[t++] - 1);
                continue;
            }
            REQUIRE(may);
            REQUIRE(text[t++] == 33);
            ++copies, certain -= std::log(begins);
            if (t == text.size()) break;
            const std::int32_t distance = text[t++] - 33;
            REQUIRE((distance >= 1 && distance <= task.distances));
            ++distances[static_cast<std::size_t>(distance)];
            certain += std::log(static_cast<double>(task.distances));
            for (std::int32_t i = 0; i < task.copy_length && t < text.size(); ++i) {
                const std::int32_t symbol = said[said.size() - static_cast<std::size_t>(distance)];
                REQUIRE(text[t++] == symbol + 1);
                said.push_back(symbol);
            }
        }
    }
};

/// P(these symbols), summed over every path of states.
double path_sum(const Tokens& symbols, std::size_t count) {
    double total = 0;
    const auto walk = [&](const auto& self, std::size_t at, int state, double p) -> void {
        p *= says(state, symbols[at]);
        if (at + 1 == count) {
            total += p;
            return;
        }
        for (int to = 0; to < 8; ++to) self(self, at + 1, to, p * changes(state, to));
    };
    for (int state = 0; state < 8; ++state) walk(walk, 0, state, 1.0 / 8);
    return total;
}

Markov chain_of(const std::vector<std::string>& set) {
    return std::get<Markov>(find_task("markov", set));
}

}  // namespace

TEST_CASE("markov: copies are announced and repeat what was said", "[tasks][markov]") {
    const Markov task = chain_of({"distances=6", "copy_length=9", "copy_every=4"});
    const auto data = make_data_source(task);
    std::int64_t places = 0, copies = 0;
    std::vector<std::int64_t> distances(7);
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const Parsed parsed(task, text_of(make(*data, key(i, 2, 150))));
        places += parsed.places, copies += parsed.copies;
        for (std::size_t d = 0; d < distances.size(); ++d) distances[d] += parsed.distances[d];
    }
    CHECK(copies > 5000);
    CHECK(plausible(copies, 0.25, places));
    CHECK(uniform(distances, 1, 6));
}

TEST_CASE("markov: symbols and pairs of them are as frequent as the chain says", "[tasks][markov]") {
    const auto data = make_data_source(chain_of({"copy_every=0"}));
    constexpr int kTexts = 100000;
    std::vector<std::int64_t> first(32);
    std::vector<std::vector<std::int64_t>> pairs(32, std::vector<std::int64_t>(32));
    for (std::uint64_t i = 0; i < kTexts; ++i) {
        const Tokens text = text_of(make(*data, key(i, 2, 2)));
        ++first[static_cast<std::size_t>(text[0] - 1)];
        ++pairs[static_cast<std::size_t>(text[0] - 1)][static_cast<std::size_t>(text[1] - 1)];
    }
    for (int a = 0; a < 32; ++a) {
        double share = 0;
        for (int s = 0; s < 8; ++s) share += says(s, a) / 8;
        CHECK(plausible(first[static_cast<std::size_t>(a)], share, kTexts));
        for (int b = 0; b < 32; ++b) {
            INFO(a << " then " << b);
            CHECK(plausible(pairs[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)], path_sum({a, b}, 2),
                            kTexts));
        }
    }
}

TEST_CASE("markov: the ideal loss is that of the sum over all paths of states", "[tasks][markov]") {
    const Markov task = chain_of({"distances=2", "copy_length=3", "copy_every=2"});
    const auto data = make_data_source(task);
    int checked = 0;
    for (std::uint64_t i = 0; i < 300; ++i) {
        const Example example = make(*data, key(i, 2, 14));
        const Parsed parsed(task, text_of(example));
        if (parsed.free.size() > 5) continue;
        const double expected =
            parsed.certain - std::log(path_sum(parsed.free, parsed.free.size())) + std::log(path_sum(parsed.free, 1));
        REQUIRE(*data->ideal_loss(example.tokens, example.targets) == Approx(expected).epsilon(1e-12));
        ++checked;
    }
    CHECK(checked > 30);
}

TEST_CASE("markov: the ideal loss of long texts is that of a product of matrices", "[tasks][markov]") {
    const Markov task = chain_of({});
    const auto data = make_data_source(task);
    for (std::uint64_t i = 0; i < 10; ++i) {
        const Example example = make(*data, key(i, 2, 400));
        const Parsed parsed(task, text_of(example));
        // From the end: b(state) = P(what follows | state), in logarithms.
        std::array<double, 8> after{};
        for (std::size_t t = parsed.free.size(); t-- > 0;) {
            std::array<double, 8> before{};
            for (int s = 0; s < 8; ++s) {
                double sum = 0;
                for (int to = 0; to < 8; ++to)
                    sum += changes(s, to) * std::exp(after[static_cast<std::size_t>(to)] - after[0]);
                before[static_cast<std::size_t>(s)] = std::log(says(s, parsed.free[t])) + std::log(sum) + after[0];
            }
            after = before;
        }
        double all = 0;
        for (const double one : after) all += std::exp(one - after[0]) / 8;
        const double expected = parsed.certain - std::log(all) - after[0] + std::log(path_sum(parsed.free, 1));
        CHECK(*data->ideal_loss(example.tokens, example.targets) == Approx(expected).epsilon(1e-10));
    }
}

TEST_CASE("markov: whoever knows the chain loses less than whoever knows the shares of tokens", "[tasks][markov]") {
    const auto data = make_data_source(chain_of({}));
    std::vector<double> seen(static_cast<std::size_t>(data->vocabulary()));
    double ideal = 0, tokens = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
        const Example example = make(*data, key(i, 256, 256));
        ideal += *data->ideal_loss(example.tokens, example.targets);
        for (const std::int32_t target : example.targets) ++seen[static_cast<std::size_t>(target)], ++tokens;
    }
    double shares = 0;
    for (const double count : seen) shares -= count > 0 ? count * std::log(count / tokens) : 0;
    CHECK(ideal < 0.8 * shares);
    CHECK(data->in_bits());
}
