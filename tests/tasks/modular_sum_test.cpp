#include "tasks/modular_sum.hpp"

#include "tasks/parity.hpp"
#include "tests/support/task_support.hpp"

using namespace tasktest;

namespace {

// From the description alone: the whole sum first, reduced once.
std::int32_t answer(const ModularSum& task, const std::vector<std::int32_t>& tokens, std::size_t begin,
                    std::size_t end) {
    std::int64_t sum = 0;
    for (std::size_t t = begin; t < end; ++t) sum += tokens[t] - 1;
    return static_cast<std::int32_t>(1 + sum % task.modulus);
}

}  // namespace

TEST_CASE("modular_sum: thousands of examples agree with an independent evaluator", "[tasks]") {
    for (const std::int32_t modulus : {2, 5, 60}) {
        ModularSum task;
        task.modulus = modulus;
        std::vector<std::int64_t> sizes(41), digits(62), answers(62);
        for (std::uint64_t i = 0; i < 4000; ++i) {
            const Example example = make(task, key(i, 3, 40));
            const std::size_t used = example.tokens.size();
            ++sizes[used + 1];
            for (std::size_t t = 0; t < used; ++t) {
                REQUIRE(example.tokens[t] >= 1);
                REQUIRE(example.tokens[t] <= modulus);
                ++digits[static_cast<std::size_t>(example.tokens[t])];
                REQUIRE(example.targets[t] == (t + 1 == used ? answer(task, example.tokens, 0, used) : kUnsupervised));
            }
            ++answers[static_cast<std::size_t>(example.targets[used - 1])];
        }
        CHECK(uniform(sizes, 3, 38));
        CHECK(uniform(digits, 1, static_cast<std::size_t>(modulus)));
        CHECK(uniform(answers, 1, static_cast<std::size_t>(modulus)));
    }
}

TEST_CASE("modular_sum: every prefix is answered with supervise = all and bos", "[tasks]") {
    ModularSum task;
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

TEST_CASE("modular_sum: with modulus 2 it is parity bit for bit", "[tasks]") {
    ModularSum sum;
    sum.modulus = 2;
    CHECK(sum.vocabulary() == Parity{}.vocabulary());
    for (std::uint64_t i = 0; i < 500; ++i) {
        const Example a = make(sum, key(i, 3, 64)), b = make(Parity{}, key(i, 3, 64));
        REQUIRE(a.tokens == b.tokens);
        REQUIRE(a.targets == b.targets);
    }
}
