#include "tasks/mqar.hpp"

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "core/base/error.hpp"
#include "tasks/registry.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/task_support.hpp"

using namespace tasktest;
using Catch::Matchers::ContainsSubstring;

namespace {

// What a reader of an example of K pairs over V symbols finds, by the documented ids alone.
struct Read {
    std::vector<std::int32_t> keys, values;
    std::vector<std::size_t> places;  // of each pair's question, in the order of the pairs
};

Read read(const Example& example, std::size_t pairs, std::int32_t symbols, bool blanks) {
    Read found;
    std::map<std::int32_t, std::size_t> pair_of;
    for (std::size_t i = 0; i < pairs; ++i) {
        const std::int32_t key = example.tokens[2 * i], value = example.tokens[2 * i + 1];
        REQUIRE((key >= 1 && key < symbols / 2));
        REQUIRE((value >= symbols / 2 && value < symbols));
        pair_of[key] = i;
        found.keys.push_back(key), found.values.push_back(value);
    }
    REQUIRE(pair_of.size() == pairs);
    REQUIRE(std::set(found.values.begin(), found.values.end()).size() == pairs);
    found.places.assign(pairs, 0);
    std::set<std::int32_t> asked;
    for (std::size_t t = 0; t < example.tokens.size(); ++t) {
        if (example.targets[t] < 0) {
            if (blanks && t >= 2 * pairs) REQUIRE(example.tokens[t] == 0);
            continue;
        }
        const std::size_t pair = pair_of.at(example.tokens[t]);
        REQUIRE(t >= 2 * pairs);
        REQUIRE(t % 2 == 0);
        REQUIRE(example.targets[t] == found.values[pair]);
        REQUIRE(asked.insert(example.tokens[t]).second);
        found.places[pair] = (t - 2 * pairs) / 2;
    }
    REQUIRE(asked.size() == pairs);
    return found;
}

// Shares of the place of the first and of the second pair, by the two draws as they are defined.
struct Shares {
    std::vector<double> first, second;

    explicit Shares(std::size_t places) : first(places), second(places) {
        std::vector<double> weight(places);
        double total = 0;
        for (std::size_t g = 0; g < places; ++g) total += weight[g] = std::pow(static_cast<double>(g + 1), -0.99);
        for (std::size_t a = 0; a < places; ++a) {
            first[a] = weight[a] / total;
            for (std::size_t b = 0; b < places; ++b)
                if (b != a) second[b] += first[a] * weight[b] / (total - weight[a]);
        }
    }
};

std::unique_ptr<DataSource> mqar(const std::vector<std::string>& set) {
    return make_data_source(find_task("mqar", set));
}

}  // namespace

TEST_CASE("mqar asks for every key once and the answer is its value", "[tasks][mqar]") {
    const auto data = mqar({});
    for (const auto& [size, pairs] : {std::pair{64, 4}, {128, 8}, {256, 16}, {512, 64}, {100, 4}, {101, 4}, {1024, 64}})
        for (std::uint64_t i = 0; i < 40; ++i) {
            const Example example = make(*data, key(i, size, size));
            REQUIRE(example.tokens.size() == static_cast<std::size_t>(size - 1));
            read(example, static_cast<std::size_t>(pairs), 8192, true);
        }
    const auto noisy = mqar({"symbols=64", "filler=uniform", "slices=[[40, 10]]"});
    std::vector<std::int64_t> seen(64);
    for (std::uint64_t i = 0; i < 4000; ++i) {
        const Example example = make(*noisy, key(i, 40, 40));
        read(example, 10, 64, false);
        for (std::size_t t = 20; t < 39; ++t)
            if (example.targets[t] < 0) ++seen[static_cast<std::size_t>(example.tokens[t])];
    }
    CHECK(uniform(seen, 0, 64));
}

TEST_CASE("mqar draws keys and values uniformly and places by their weights without replacement", "[tasks][mqar]") {
    const auto data = mqar({"symbols=22", "slices=[[20, 3]]"});
    constexpr std::size_t kPlaces = (20 - 2 * 3) / 2;
    constexpr std::int64_t kExamples = 40000;
    std::vector<std::int64_t> tokens(22), first(kPlaces), second(kPlaces);
    for (std::int64_t i = 0; i < kExamples; ++i) {
        const Read found = read(make(*data, key(static_cast<std::uint64_t>(i), 20, 20)), 3, 22, true);
        for (const std::int32_t one : found.keys) ++tokens[static_cast<std::size_t>(one)];
        for (const std::int32_t one : found.values) ++tokens[static_cast<std::size_t>(one)];
        ++first[found.places[0]], ++second[found.places[1]];
    }
    CHECK(uniform(tokens, 1, 10));
    CHECK(uniform(tokens, 11, 11));
    const Shares expected(kPlaces);
    for (std::size_t g = 0; g < kPlaces; ++g) {
        INFO("place " << g);
        CHECK(plausible(first[g], expected.first[g], kExamples));
        CHECK(plausible(second[g], expected.second[g], kExamples));
    }
}

TEST_CASE("mqar fills all places where there are as many as keys", "[tasks][mqar]") {
    const auto data = mqar({"slices=[[64, 16]]"});
    for (std::uint64_t i = 0; i < 50; ++i) {
        const Read found = read(make(*data, key(i, 64, 64)), 16, 8192, true);
        CHECK(std::set(found.places.begin(), found.places.end()).size() == 16);
    }
}

TEST_CASE("mqar mixes the slices that a range of sizes holds, each equally often", "[tasks][mqar]") {
    const auto data = mqar({});
    std::vector<std::int64_t> seen(513);
    for (std::uint64_t i = 0; i < 4000; ++i) ++seen[make(*data, key(i, 64, 512)).tokens.size() + 1];
    for (const std::size_t size : {64, 128, 256, 512}) CHECK(plausible(seen[size], 0.25, 4000));
    CHECK(seen[64] + seen[128] + seen[256] + seen[512] == 4000);
    for (std::uint64_t i = 0; i < 50; ++i) {
        CHECK(make(*data, key(i, 64, 127)).tokens.size() == 63);
        CHECK(make(*data, key(i, 65, 255)).tokens.size() == 127);
        CHECK(make(*data, key(i, 129, 200)).tokens.size() == 199);  // no slice: the largest size
    }
}

TEST_CASE("mqar: guessing among the values in the context is right once in K", "[tasks][mqar]") {
    CHECK(mqar({})->chance() == 0.25);
    CHECK(mqar({"slices=[[512, 64]]"})->chance() == 1.0 / 64);
    CHECK(mqar({"slices=[[64, 8], [128, 5]]"})->chance() == 0.2);
}

TEST_CASE("mqar refuses slices that cannot be", "[tasks][mqar]") {
    const auto message = [](const std::string& slices) {
        return message_of<UserError>([&] { mqar({"symbols=64", "slices=" + slices}); });
    };
    CHECK_THAT(message("[]"), ContainsSubstring("--set slices: expected 1 to 8 pairs [size, keys]"));
    CHECK_THAT(message("[[64]]"), ContainsSubstring("such as [[64, 4], [128, 8]]"));
    CHECK_THAT(message("[[64, 4], [64, 8]]"), ContainsSubstring("sizes must ascend: 64 follows 64"));
    CHECK_THAT(message("[[64, 17]]"), ContainsSubstring("17 keys need a size of 68 at least, not 64"));
    CHECK_THAT(message("[[640, 32]]"), ContainsSubstring("at most 31 keys, not 32"));
    CHECK_THAT(message_of<UserError>([] { check_size(find_task("mqar"), 63, "--size"); }),
               ContainsSubstring("63 is no size of mqar; the nearest is 64"));
}
