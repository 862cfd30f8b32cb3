#include "tasks/modular_arithmetic.hpp"

#include "tests/support/task_support.hpp"

using namespace tasktest;

namespace {

using Tokens = std::vector<std::int32_t>;

// Splits at the operator that binds least, the last one first, where the generator reads from left to right. The ids
// are those of the documentation: 1 +, 2 -, 3 *, 5+d.
std::int64_t value(const Tokens& tokens, std::size_t begin, std::size_t end, std::int64_t m) {
    if (end - begin == 1) return tokens[begin] - 5;
    for (const bool sums : {true, false})
        for (std::size_t t = end - 1; t-- > begin;) {
            const std::int32_t token = tokens[t];
            if (sums ? token != 1 && token != 2 : token != 3) continue;
            const std::int64_t left = value(tokens, begin, t, m), right = value(tokens, t + 1, end, m);
            return (token == 1 ? left + right : token == 2 ? left - right + m : left * right) % m;
        }
    FAIL("no expression");
    return 0;
}

// digit operator digit … =, with digits and operators that this task may have.
void check_form(const ModularArithmetic& task, const Tokens& tokens, std::size_t begin) {
    for (std::size_t t = begin; t + 1 < tokens.size(); ++t) {
        const bool digit = (t - begin) % 2 == 0;
        REQUIRE(tokens[t] >= (digit ? 5 : 1));
        REQUIRE(tokens[t] <= (digit ? 4 + task.modulus : task.mult ? 3 : 2));
    }
    REQUIRE((tokens.size() - begin) % 2 == 0);
    REQUIRE(tokens.back() == 4);
}

}  // namespace

TEST_CASE("modular_arithmetic: thousands of examples agree with an independent evaluator", "[tasks]") {
    for (const bool mult : {true, false})
        for (const std::int32_t modulus : {5, 13}) {
            ModularArithmetic task;
            task.mult = mult;
            task.modulus = modulus;
            std::vector<std::int64_t> sizes(43), tokens(20), answers(20);
            for (std::uint64_t i = 0; i < 3000; ++i) {
                const Example example = make(task, key(i, 3, 42));
                const std::size_t used = example.tokens.size();
                check_form(task, example.tokens, 0);
                for (std::size_t t = 0; t + 1 < used; ++t) REQUIRE(example.targets[t] == kUnsupervised);
                REQUIRE(example.targets[used - 1] == 5 + value(example.tokens, 0, used - 1, modulus));
                ++sizes[used / 2];
                for (const std::int32_t token : example.tokens) ++tokens[static_cast<std::size_t>(token)];
                ++answers[static_cast<std::size_t>(example.targets[used - 1])];
            }
            CHECK(uniform(sizes, 1, 20));  // 3 and 4 give 3, … 41 and 42 give 41
            CHECK(uniform(tokens, 1, mult ? 3 : 2));
            CHECK(uniform(tokens, 5, static_cast<std::size_t>(modulus)));
            if (!mult) CHECK(uniform(answers, 5, static_cast<std::size_t>(modulus)));
        }
}

TEST_CASE("modular_arithmetic: an even size means one less", "[tasks]") {
    const ModularArithmetic task;
    for (const std::int64_t size : {3, 5, 41, 255})
        for (std::uint64_t i = 0; i < 50; ++i) {
            const Example odd = make(task, key(i, size, size)), even = make(task, key(i, size + 1, size + 1));
            REQUIRE(static_cast<std::int64_t>(odd.tokens.size()) == size - 1);  // s-2 tokens and =
            REQUIRE(odd.tokens == even.tokens);
            REQUIRE(odd.targets == even.targets);
        }
    CHECK(task.positions(256) == 254);
}

TEST_CASE("modular_arithmetic: every digit is answered with supervise = all and bos", "[tasks]") {
    ModularArithmetic task;
    task.supervise = Supervise::all;
    task.bos = true;
    for (std::uint64_t i = 0; i < 300; ++i) {
        const Example example = make(task, key(i, 3, 31), 5);
        const std::size_t used = example.tokens.size();
        REQUIRE(example.tokens[0] == task.vocabulary() - 1);
        check_form(task, example.tokens, 1);
        std::int64_t supervised = 0;
        for (std::size_t t = 0; t < used; ++t) {
            const bool last = t + 1 == used, asked = t % 2 == 1 || last;
            const auto end = last ? t : t + 1;
            REQUIRE(example.targets[t] == (asked ? 5 + value(example.tokens, 1, end, 5) : kUnsupervised));
            supervised += asked ? 1 : 0;
        }
        REQUIRE(supervised <= task.slots(static_cast<std::int64_t>(used)));
    }
}

TEST_CASE("modular_arithmetic: examples read as expressions with their value", "[tasks]") {
    ModularArithmetic task;
    const Example example{{7, 1, 8, 3, 9, 2, 6, 4}, {-1, -1, -1, -1, -1, -1, -1, 8}};
    CHECK(task.example_text(example) == "2+3*4-1 = 3 (mod 5)");
    task.bos = true;
    CHECK(task.example_text({{10, 7, 4}, {-1, -1, 7}}) == "2 = 2 (mod 5)");
    task.supervise = Supervise::all;
    CHECK(task.example_text(example).empty());
}

// docs/state-tracking.md: what comes before adds a sum that is as good as uniform. Were * not to bind tighter, a "* 0"
// among the last two operators would settle the value, and 0.2 + 0.8 (1 - (14/15)^2) = 0.30 of the guesses be right.
TEST_CASE("modular_arithmetic: the last tokens of a long expression tell nothing about its value", "[tasks]") {
    constexpr std::size_t kWindow = 4, kWindows = 16 * 16 * 16 * 16;  // token ids are below 16
    constexpr std::uint64_t kExamples = 60000;
    const ModularArithmetic task;
    std::vector<std::vector<std::int64_t>> counts(kWindows, std::vector<std::int64_t>(16));
    std::int64_t right = 0, asked = 0;
    for (std::uint64_t i = 0; i < kExamples; ++i) {
        const Example example = make(task, key(i, 63, 63));
        const std::size_t end = example.tokens.size() - 1;  // of the expression
        std::size_t window = 0;
        for (std::size_t t = end - kWindow; t < end; ++t)
            window = 16 * window + static_cast<std::size_t>(example.tokens[t]);
        const auto answer = static_cast<std::size_t>(example.targets[end]);
        std::vector<std::int64_t>& seen = counts[window];
        if (i < kExamples / 2) {
            ++seen[answer];
            continue;
        }
        const auto guess = std::max_element(seen.begin(), seen.end()) - seen.begin();
        right += static_cast<std::size_t>(guess) == answer ? 1 : 0;
        ++asked;
    }
    CHECK(plausible(right, 0.2, asked));
}
