#include "tasks/parity.hpp"

#include <set>
#include <vector>

#include "core/io/checksum.hpp"
#include "tests/support/catch.hpp"

using namespace whorl;

namespace {

struct Written {
    std::vector<std::int32_t> tokens, targets;
    std::int64_t used = 0;
};

Written make(const Parity& task, const SampleKey& key, std::int64_t capacity) {
    const auto size = static_cast<std::size_t>(capacity);
    Written example{std::vector<std::int32_t>(size, 99), std::vector<std::int32_t>(size, 99), 0};
    example.used = task.generate(key, {example.tokens.data(), example.targets.data(), capacity});
    return example;
}

SampleKey key(std::uint64_t seed, Split split, std::uint64_t step, std::uint64_t index, std::int64_t min,
              std::int64_t max) {
    return {seed, split, step, index, {min, max}};
}

// Written from the task's description alone: counts ones with arithmetic, where the generator flips a bit.
std::int32_t answer(const std::vector<std::int32_t>& tokens, std::size_t begin, std::size_t end) {
    int ones = 0;
    for (std::size_t t = begin; t < end; ++t) ones += tokens[t] == 2 ? 1 : 0;
    return 1 + ones % 2;
}

}  // namespace

TEST_CASE("parity: thousands of examples agree with an independent evaluator", "[tasks]") {
    const Parity task;
    constexpr std::int64_t kCapacity = 40;
    std::vector<int> sizes(42), answers(3);
    for (std::uint64_t i = 0; i < 8000; ++i) {
        const Written example = make(task, key(1, Split::train, i / 64, i % 64, 3, 40), kCapacity);
        const auto used = static_cast<std::size_t>(example.used);
        REQUIRE(used >= 2);
        REQUIRE(used <= 39);
        ++sizes[used + 1];
        for (std::size_t t = 0; t < kCapacity; ++t) {
            const bool content = t < used;
            REQUIRE((content ? example.tokens[t] == 1 || example.tokens[t] == 2 : example.tokens[t] == kPad));
            REQUIRE(example.targets[t] == (t + 1 == used ? answer(example.tokens, 0, used) : kUnsupervised));
        }
        ++answers[static_cast<std::size_t>(example.targets[used - 1])];
    }
    // 8000 draws over 38 sizes: 211 expected, deviation 14; six deviations never happen by chance.
    for (std::size_t size = 3; size <= 40; ++size) CHECK(std::abs(sizes[size] - 211) < 85);
    CHECK(std::abs(answers[1] - 4000) < 270);
}

TEST_CASE("parity: every prefix is answered with supervise = all and bos", "[tasks]") {
    Parity task;
    task.supervise = Supervise::all;
    task.bos = true;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const Written example = make(task, key(2, Split::validation, 17, i, 17, 17), 24);
        REQUIRE(example.used == task.positions(17));
        REQUIRE(example.tokens[0] == Parity::kBegin);
        REQUIRE(example.targets[0] == kUnsupervised);
        for (std::size_t t = 1; t < 17; ++t) REQUIRE(example.targets[t] == answer(example.tokens, 1, t + 1));
    }
}

TEST_CASE("parity: options do not change the bits", "[tasks]") {
    Parity plain, all;
    all.supervise = Supervise::all;
    for (std::uint64_t i = 0; i < 100; ++i)
        CHECK(make(plain, key(3, Split::test, 0, i, 3, 64), 64).tokens ==
              make(all, key(3, Split::test, 0, i, 3, 64), 64).tokens);
}

TEST_CASE("parity: the room behind an example does not change it", "[tasks]") {
    const Parity task;
    for (std::uint64_t i = 0; i < 100; ++i) {
        Written narrow = make(task, key(3, Split::train, 5, i, 3, 16), 16),
                wide = make(task, key(3, Split::train, 5, i, 3, 16), 80);
        wide.tokens.resize(16);
        wide.targets.resize(16);
        CHECK(narrow.tokens == wide.tokens);
        CHECK(narrow.targets == wide.targets);
    }
}

TEST_CASE("parity: splits and seeds and steps and indices never share examples", "[tasks]") {
    const Parity task;
    std::set<std::vector<std::int32_t>> seen;
    std::size_t made = 0;
    for (const Split split : {Split::train, Split::validation, Split::test})
        for (std::uint64_t seed = 0; seed < 4; ++seed)
            for (std::uint64_t step = 0; step < 4; ++step)
                for (std::uint64_t index = 0; index < 100; ++index, ++made)
                    seen.insert(make(task, key(seed, split, step, index, 128, 128), 128).tokens);
    CHECK(seen.size() == made);  // 127 bits: two equal ones by chance are out of the question
}

TEST_CASE("parity: version 1 has these bits", "[tasks]") {
    // A change here changes what every recorded result means: raise kVersion with it.
    REQUIRE(Parity::kVersion == 1);
    const Parity task;
    std::vector<std::int32_t> everything;
    for (const Split split : {Split::train, Split::validation, Split::test})
        for (std::uint64_t i = 0; i < 100; ++i) {
            const Written example = make(task, key(7, split, i, i, 3, 64), 64);
            everything.insert(everything.end(), example.tokens.begin(), example.tokens.end());
            everything.insert(everything.end(), example.targets.begin(), example.targets.end());
        }
    CHECK(checksum(std::as_bytes(std::span(everything))) == "07a7b7cdf64c14401f0ae7a4190dd7ce");
}

TEST_CASE("parity can be generated at compile time", "[tasks]") {
    constexpr auto first = [] {
        std::int32_t tokens[8] = {}, targets[8] = {};
        return Parity{}.generate({1, Split::train, 0, 0, {8, 8}}, {tokens, targets, 8});
    }();
    STATIC_REQUIRE(first == 7);
}
