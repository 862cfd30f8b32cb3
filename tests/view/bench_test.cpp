// Ranks among times, by counting.
#include "viz/app/bench.hpp"

#include "tests/support/catch.hpp"

using whorl::view::percentile;

TEST_CASE("a percentile is the least time that so many do not exceed", "[view][bench]") {
    std::vector<double> times;
    for (int i = 200; i >= 1; --i) times.push_back(i);
    CHECK(percentile(times, 0.5) == 100);
    CHECK(percentile(times, 0.99) == 198);
    CHECK(percentile(times, 1) == 200);
    CHECK(percentile(times, 0) == 1);
    CHECK(percentile({7}, 0.99) == 7);
    CHECK(percentile({}, 0.5) == 0);
}
