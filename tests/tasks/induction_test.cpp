#include "tasks/induction.hpp"

#include "tasks/registry.hpp"
#include "tests/support/task_support.hpp"

using namespace tasktest;

TEST_CASE("induction asks for the symbol behind the first special token", "[tasks][induction]") {
    const auto data = make_data_source(find_task("induction"));
    std::vector<std::int64_t> sizes(21), places(21), answers(17);
    for (std::uint64_t i = 0; i < 20000; ++i) {
        const Example example = make(*data, key(i, 4, 20));
        const std::size_t used = example.tokens.size();
        std::vector<std::size_t> special;
        for (std::size_t t = 0; t < used; ++t) {
            if (example.tokens[t] == 17) special.push_back(t);
            REQUIRE(example.targets[t] == (t + 1 == used ? example.tokens[special.at(0) + 1] : -1));
        }
        REQUIRE(special.size() == 2);
        REQUIRE(special[1] == used - 1);
        ++sizes[used + 1];
        if (used == 12) ++places[special[0]];
        ++answers[static_cast<std::size_t>(example.targets.back())];
    }
    CHECK(uniform(sizes, 4, 17));
    CHECK(uniform(places, 0, 10));  // a symbol is behind each of the first ten of twelve, and the last is special
    CHECK(uniform(answers, 1, 16));
}

TEST_CASE("induction trains at one size where the smallest is the largest", "[tasks][induction]") {
    const Task task = find_task("induction", {"min_size=256"});
    const auto data = make_data_source(task);
    CHECK(data->min_size() == 256);
    CHECK(data->chance() == 1.0 / 16);
    CHECK(make(*data, key(1, 256, 256)).tokens.size() == 255);
    CHECK(token_text(task, 17) == "*");
}
