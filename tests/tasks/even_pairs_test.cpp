#include "tasks/even_pairs.hpp"

#include "tests/support/task_support.hpp"

using namespace tasktest;

namespace {

// By the task's name: counts neighbours that differ, where the generator compares the ends.
std::int32_t answer(const std::vector<std::int32_t>& tokens, std::size_t begin, std::size_t end) {
    int pairs = 0;
    for (std::size_t t = begin + 1; t < end; ++t) pairs += tokens[t] != tokens[t - 1] ? 1 : 0;
    return pairs % 2 == 0 ? 1 : 2;
}

}  // namespace

TEST_CASE("even_pairs: thousands of examples agree with an independent evaluator", "[tasks]") {
    const EvenPairs task;
    std::vector<std::int64_t> sizes(41), symbols(3), answers(3);
    for (std::uint64_t i = 0; i < 8000; ++i) {
        const Example example = make(task, key(i, 3, 40));
        const std::size_t used = example.tokens.size();
        ++sizes[used + 1];
        for (std::size_t t = 0; t < used; ++t) {
            REQUIRE((example.tokens[t] == 1 || example.tokens[t] == 2));
            ++symbols[static_cast<std::size_t>(example.tokens[t])];
            REQUIRE(example.targets[t] == (t + 1 == used ? answer(example.tokens, 0, used) : kUnsupervised));
        }
        ++answers[static_cast<std::size_t>(example.targets[used - 1])];
    }
    CHECK(uniform(sizes, 3, 38));
    CHECK(uniform(symbols, 1, 2));
    CHECK(uniform(answers, 1, 2));
}

TEST_CASE("even_pairs: every prefix is answered with supervise = all and bos", "[tasks]") {
    EvenPairs task;
    task.supervise = Supervise::all;
    task.bos = true;
    for (std::uint64_t i = 0; i < 500; ++i) {
        const Example example = make(task, key(i, 17, 17), 7);
        REQUIRE(example.tokens.size() == 17);
        REQUIRE(example.tokens[0] == EvenPairs::kBegin);
        REQUIRE(example.targets[0] == kUnsupervised);
        for (std::size_t t = 1; t < 17; ++t) REQUIRE(example.targets[t] == answer(example.tokens, 1, t + 1));
    }
}
