#include "tasks/needle.hpp"

#include <map>
#include <set>
#include <string>

#include "core/base/error.hpp"
#include "core/training/score.hpp"
#include "tasks/registry.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/task_support.hpp"

using namespace tasktest;

namespace {

using Tokens = std::vector<std::int32_t>;

// What a reader of the context finds in it, by the documented ids alone.
struct Context {
    std::map<std::int32_t, Tokens> values;        // of each key, in order: all its values, one after the other
    std::map<std::int32_t, std::int64_t> behind;  // filler tokens and needles before the key's first needle
    Tokens filler;
    std::int64_t lead = 0, needles = 0;  // filler tokens before the first needle; all needles
    std::size_t end = 0;                 // position of the first QUERY
};

Context read(const Needle& task, const Tokens& tokens) {
    const std::int32_t first_value = 3 + task.key_symbols, first_filler = first_value + task.value_symbols;
    const auto length = static_cast<std::size_t>(task.value_tokens);
    Context context;
    std::size_t t = 0;
    while (t < tokens.size() && tokens[t] != 2) {
        if (tokens[t] != 1) {
            REQUIRE(tokens[t] >= first_filler);
            context.filler.push_back(tokens[t++] - first_filler);
            context.lead += context.needles == 0 ? 1 : 0;
            continue;
        }
        REQUIRE(t + 2 + length <= tokens.size());
        const std::int32_t key = tokens[t + 1];
        REQUIRE(key >= 3);
        REQUIRE(key < first_value);
        context.behind.try_emplace(key, static_cast<std::int64_t>(context.filler.size()) + context.needles);
        for (std::size_t i = t + 2; i < t + 2 + length; ++i) {
            REQUIRE(tokens[i] >= first_value);
            REQUIRE(tokens[i] < first_filler);
            context.values[key].push_back(tokens[i]);
        }
        t += 2 + length;
        ++context.needles;
    }
    context.end = t;
    return context;
}

// Rebuilds everything from the first QUERY on out of the context, and compares inputs and labels. Returns the keys.
Tokens check_queries(const Needle& task, const Example& example, const Context& context) {
    for (std::size_t t = 0; t < context.end; ++t) REQUIRE(example.targets[t] == kUnsupervised);
    Tokens script, asked;  // all tokens with the very last label, and which of them are answers (as a mask)
    Tokens keys, answer;
    std::size_t t = context.end;
    for (std::int32_t query = 0; query < task.queries; ++query) {
        REQUIRE(t + 1 < example.tokens.size());
        const std::int32_t key = example.tokens[t + 1];
        REQUIRE(context.values.count(key) == 1);
        keys.push_back(key);
        answer = context.values.at(key);
        REQUIRE(answer.size() == static_cast<std::size_t>(task.values * task.value_tokens));
        script.insert(script.end(), {2, key});
        asked.insert(asked.end(), {0, 0});
        script.insert(script.end(), answer.begin(), answer.end());
        asked.insert(asked.end(), answer.size(), 1);
        t += 2 + answer.size();
    }
    REQUIRE(example.tokens.size() - context.end == script.size() - 1);
    for (std::size_t i = 0; i + 1 < script.size(); ++i) {
        REQUIRE(example.tokens[context.end + i] == script[i]);
        REQUIRE(example.targets[context.end + i] == (asked[i + 1] == 1 ? script[i + 1] : kUnsupervised));
    }
    return keys;
}

void check_haystack(const Needle& task, const Context& context) {
    if (task.haystack == Haystack::needles) {
        REQUIRE(context.lead == static_cast<std::int64_t>(context.filler.size()));
        REQUIRE(context.lead < 2 + task.value_tokens);
    } else {
        REQUIRE(context.needles == task.keys * task.values);
        REQUIRE(context.values.size() == static_cast<std::size_t>(task.keys));
    }
    if (task.haystack != Haystack::noise)
        for (std::size_t i = 0; i < context.filler.size(); ++i)
            REQUIRE(context.filler[i] == static_cast<std::int32_t>(i) % task.filler_symbols);
}

Context check(const Needle& task, const Example& example, Tokens* keys = nullptr) {
    const Context context = read(task, example.tokens);
    check_haystack(task, context);
    const Tokens asked = check_queries(task, example, context);
    REQUIRE(std::set<std::int32_t>(asked.begin(), asked.end()).size() == asked.size());
    if (keys != nullptr) *keys = asked;
    return context;
}

std::vector<Needle> variants() {
    std::vector<Needle> all;
    for (const Haystack haystack : {Haystack::repeat, Haystack::noise, Haystack::needles})
        for (const auto& [keys, values, tokens, queries] : {std::array{1, 1, 1, 1},
                                                            {1, 1, 7, 1},
                                                            {4, 1, 1, 1},
                                                            {1, 4, 2, 1},
                                                            {4, 1, 2, 3},
                                                            {3, 2, 3, 3},
                                                            {2, 2, 32, 2}}) {
            Needle task;
            task.haystack = haystack;
            task.keys = keys, task.values = values, task.value_tokens = tokens, task.queries = queries;
            task.key_symbols = 9, task.value_symbols = 6, task.filler_symbols = 5;
            all.push_back(task);
        }
    return all;
}

}  // namespace

TEST_CASE("needle: thousands of examples agree with a reader of the context", "[tasks]") {
    for (const Needle& task : variants()) {
        const std::int64_t least = task.min_size();
        std::vector<std::int64_t> lengths(static_cast<std::size_t>(least + 41));
        for (std::uint64_t i = 0; i < 800; ++i) {
            const Example example = make(task, key(i, least, least + 40), 3);
            check(task, example);
            ++lengths[example.tokens.size() + 1];
        }
        CHECK(uniform(lengths, static_cast<std::size_t>(least), 41));
    }
}

TEST_CASE("needle: keys and values and filler and places are uniform", "[tasks]") {
    for (const Needle& task : variants()) {
        const std::int64_t unit = task.haystack == Haystack::needles ? 2 + task.value_tokens : 1;
        const std::int64_t size = task.min_size() + 10 * unit;
        std::vector<std::int64_t> keys(9), values(6), filler(5), places(11);
        for (std::uint64_t i = 0; i < 1500; ++i) {
            Tokens asked;
            const Context context = check(task, make(task, key(i, size, size)), &asked);
            for (const std::int32_t k : asked) ++keys[static_cast<std::size_t>(k - 3)];
            for (const auto& [_, tokens] : context.values)
                for (const std::int32_t v : tokens) ++values[static_cast<std::size_t>(v - 12)];
            for (const std::int32_t f : context.filler) ++filler[static_cast<std::size_t>(f)];
            if (task.keys * task.values == 1) ++places[static_cast<std::size_t>(context.behind.at(asked[0]))];
        }
        CHECK(uniform(keys, 0, 9));
        CHECK(uniform(values, 0, 6));
        if (task.haystack == Haystack::noise) CHECK(uniform(filler, 0, 5));
        if (task.keys * task.values == 1) CHECK(uniform(places, 0, 11));
    }
}

TEST_CASE("needle: distractors have every other key and never one that is asked for", "[tasks]") {
    Needle task;
    task.haystack = Haystack::needles;
    task.keys = task.queries = 3;
    task.key_symbols = 8;
    std::vector<std::int64_t> others(8);
    for (std::uint64_t i = 0; i < 2000; ++i) {
        Tokens asked;
        const Context context = check(task, make(task, key(i, 60, 60)), &asked);
        for (const auto& [k, values] : context.values)
            if (std::find(asked.begin(), asked.end(), k) == asked.end())
                others[static_cast<std::size_t>(k - 3)] += static_cast<std::int64_t>(values.size());
            else
                REQUIRE(values.size() == 1);
    }
    CHECK(uniform(others, 0, 8));
}

TEST_CASE("needle: a fixed depth is kept", "[tasks]") {
    for (const Haystack haystack : {Haystack::repeat, Haystack::noise, Haystack::needles})
        for (const double depth : {0.0, 0.1, 0.25, 0.5, 0.99, 1.0}) {
            Needle task;
            task.haystack = haystack;
            task.depth = depth;
            for (const std::int64_t units : {0, 1, 10, 37}) {
                const std::int64_t size = 6 + units * (haystack == Haystack::needles ? 3 : 1);
                for (std::uint64_t i = 0; i < 20; ++i) {
                    Tokens asked;
                    const Context context = check(task, make(task, key(i, size, size)), &asked);
                    REQUIRE(context.behind.at(asked[0]) ==
                            static_cast<std::int64_t>(std::floor(depth * static_cast<double>(units) + 0.5)));
                }
            }
        }
}

TEST_CASE("needle: the most needles there can be still fit their bounds", "[tasks]") {
    Needle task;
    task.haystack = Haystack::needles;
    task.keys = task.queries = Needle::kMostKeys;
    task.values = Needle::kMostNeedles / Needle::kMostKeys;
    task.key_symbols = Needle::kMostKeys + 1;
    for (std::uint64_t i = 0; i < 30; ++i) check(task, make(task, key(i, task.min_size(), 2000)));
}

TEST_CASE("needle: an answer is found when all of its tokens are right", "[tasks]") {
    Needle task;
    task.keys = task.queries = 2;
    task.value_tokens = 3;
    const Example example = make(task, key(1, 40, 40));
    const auto score_with = [&](const std::vector<std::size_t>& wrong) {
        std::vector<std::int32_t> predictions = example.targets;
        std::size_t seen = 0;
        for (std::int32_t& token : predictions)
            if (token >= 0 && std::count(wrong.begin(), wrong.end(), seen++) > 0) token = 0;
        Score score;
        add_example(score, example.targets, predictions, task.answer_tokens());
        return score;
    };
    CHECK(score_with({}).found_share() == 1);
    CHECK(score_with({}).accuracy() == 1);
    CHECK(score_with({2}).accuracy() == Approx(5.0 / 6));
    CHECK(score_with({2}).found_share() == 0.5);
    CHECK(score_with({3, 4, 5}).found_share() == 0.5);
    CHECK(score_with({0, 5}).found_share() == 0);
    CHECK(score_with({0, 5}).accuracy() == Approx(4.0 / 6));
}

TEST_CASE("needle: settings that contradict each other are refused in one line", "[tasks]") {
    const auto message = [](const std::vector<std::string>& set) {
        return message_of<UserError>([&] { find_task("needle", set); });
    };
    using Catch::Matchers::ContainsSubstring;
    CHECK_THAT(message({"keys=64", "values=5"}), ContainsSubstring("values: with 64 keys at most 4"));
    CHECK_THAT(message({"queries=2"}), ContainsSubstring("queries: at most 1"));
    CHECK_THAT(message({"keys=4", "key_symbols=3"}), ContainsSubstring("key_symbols: at least 4"));
    CHECK_THAT(message({"haystack=needles", "keys=4", "key_symbols=4"}), ContainsSubstring("key_symbols: at least 5"));
    CHECK_THAT(message({"min_size=5"}), ContainsSubstring("min_size: these needles and queries need at least 6"));
    CHECK_THAT(message({"depth=-0.5"}), ContainsSubstring("depth: expected a share"));
    CHECK_THAT(message({"haystack=nosie"}), ContainsSubstring("did you mean 'noise'?"));
    CHECK(make_data_source(find_task("needle", {"value_tokens=7", "keys=2"}))->min_size() == 2 * 9 + 9);
}
