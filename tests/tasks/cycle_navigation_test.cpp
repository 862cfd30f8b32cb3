#include "tasks/cycle_navigation.hpp"

#include "tests/support/task_support.hpp"

using namespace tasktest;

namespace {

// Counts the two kinds of steps, where the generator walks.
std::int32_t answer(const CycleNavigation& task, const std::vector<std::int32_t>& tokens, std::size_t begin,
                    std::size_t end) {
    std::int64_t net = 0;
    for (std::size_t t = begin; t < end; ++t) net += tokens[t] == 2 ? 1 : tokens[t] == 3 ? -1 : 0;
    while (net < 0) net += task.cycle;
    return static_cast<std::int32_t>(4 + net % task.cycle);
}

}  // namespace

TEST_CASE("cycle_navigation: thousands of examples agree with an independent evaluator", "[tasks]") {
    for (const std::int32_t cycle : {2, 5, 7}) {
        CycleNavigation task;
        task.cycle = cycle;
        std::vector<std::int64_t> sizes(61), steps(4), ends(12);
        for (std::uint64_t i = 0; i < 4000; ++i) {
            const Example example = make(task, key(i, 3, 60));
            const std::size_t used = example.tokens.size();
            ++sizes[used + 1];
            for (std::size_t t = 0; t < used; ++t) {
                REQUIRE(example.tokens[t] >= 1);
                REQUIRE(example.tokens[t] <= 3);
                ++steps[static_cast<std::size_t>(example.tokens[t])];
                REQUIRE(example.targets[t] == (t + 1 == used ? answer(task, example.tokens, 0, used) : kUnsupervised));
            }
            if (used > 40) ++ends[static_cast<std::size_t>(example.targets[used - 1])];
        }
        CHECK(uniform(sizes, 3, 58));
        CHECK(uniform(steps, 1, 3));
        CHECK(uniform(ends, 4, static_cast<std::size_t>(cycle)));
    }
}

TEST_CASE("cycle_navigation: every prefix is answered with supervise = all and bos", "[tasks]") {
    CycleNavigation task;
    task.supervise = Supervise::all;
    task.bos = true;
    for (std::uint64_t i = 0; i < 500; ++i) {
        const Example example = make(task, key(i, 17, 17), 7);
        REQUIRE(example.tokens.size() == 17);
        REQUIRE(example.tokens[0] == task.vocabulary() - 1);
        REQUIRE(example.targets[0] == kUnsupervised);
        for (std::size_t t = 1; t < 17; ++t) REQUIRE(example.targets[t] == answer(task, example.tokens, 1, t + 1));
    }
}
