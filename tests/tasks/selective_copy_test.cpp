#include "tasks/selective_copy.hpp"

#include "tasks/registry.hpp"
#include "tests/support/task_support.hpp"

using namespace tasktest;

TEST_CASE("selective_copy asks for the data in their order", "[tasks][selective_copy]") {
    const auto data = make_data_source(find_task("selective_copy"));
    std::vector<std::int64_t> symbols(16);
    for (std::uint64_t i = 0; i < 2000; ++i) {
        const Example example = make(*data, key(i, 40, 40));
        REQUIRE(example.tokens.size() == 40 + 2 * 16);
        std::vector<std::int32_t> seen;
        for (std::size_t t = 0; t < 56; ++t) {
            REQUIRE(example.targets[t] == -1);
            if (example.tokens[t] == 0) continue;
            ++symbols[static_cast<std::size_t>(example.tokens[t])];
            seen.push_back(example.tokens[t]);
        }
        REQUIRE(seen.size() == 16);
        for (std::size_t m = 0; m < 16; ++m) {
            REQUIRE(example.tokens[56 + m] == 15);
            REQUIRE(example.targets[56 + m] == seen[m]);
        }
    }
    CHECK(uniform(symbols, 1, 14));
    CHECK(symbols[15] == 0);
}

TEST_CASE("selective_copy scatters its data over every choice of places alike", "[tasks][selective_copy]") {
    const auto data = make_data_source(find_task("selective_copy", {"data=2", "symbols=4"}));
    std::vector<std::int64_t> seen(25);  // by the two places of five
    for (std::uint64_t i = 0; i < 20000; ++i) {
        const Example example = make(*data, key(i, 3, 3));
        std::size_t places = 0;
        for (std::size_t t = 0; t < 5; ++t)
            if (example.tokens[t] != 0) places = 5 * places + t;
        ++seen[places];
    }
    std::vector<std::int64_t> possible;
    for (std::size_t a = 0; a < 5; ++a)
        for (std::size_t b = a + 1; b < 5; ++b) possible.push_back(seen[5 * a + b]);
    CHECK(uniform(possible, 0, 10));
}
