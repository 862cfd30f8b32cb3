// Reference values: SciPy 1.17.1 and statsmodels (scipy.stats.mannwhitneyu(…, alternative="greater") with
// method=PermutationMethod(n_resamples=inf) where values are tied, method="exact" where not; the bounds by moving one
// sample until that test no longer rejects; statsmodels' multipletests(method="holm")).
#include "app/statistics/rank_test.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

#include "app/statistics/holm.hpp"
#include "app/statistics/shift.hpp"
#include "tests/support/catch.hpp"

using Catch::Approx;
using namespace whorl;
using Sample = std::vector<double>;

namespace {

const Sample kA = {0.61, 0.72, 0.83, 0.91, 0.35, 0.99, 0.97, 0.88, 0.12, 0.45, 0.93, 0.78};
const Sample kB = {0.22, 0.31, 0.64, 0.52, 0.19, 0.41, 0.86, 0.09, 0.27, 0.33, 0.70, 0.55};

// By looking at every choice, as the definition has it: shares no code with the counted distribution.
double by_enumeration(const Sample& larger, const Sample& smaller) {
    Sample pool = larger;
    pool.insert(pool.end(), smaller.begin(), smaller.end());
    const auto pairs_won = [&](const std::vector<bool>& chosen) {
        double won = 0;
        for (std::size_t i = 0; i < pool.size(); ++i)
            for (std::size_t j = 0; j < pool.size(); ++j)
                if (chosen[i] && !chosen[j]) won += pool[i] > pool[j] ? 1 : pool[i] == pool[j] ? 0.5 : 0;
        return won;
    };
    std::vector<bool> chosen(pool.size(), false);
    std::fill_n(chosen.begin(), larger.size(), true);
    const double observed = pairs_won(chosen);
    std::sort(chosen.begin(), chosen.end());
    double all = 0, beyond = 0;
    do {
        ++all;
        beyond += pairs_won(chosen) >= observed ? 1 : 0;
    } while (std::next_permutation(chosen.begin(), chosen.end()));
    return beyond / all;
}

}  // namespace

TEST_CASE("the rank test has SciPy's exact values with and without ties", "[statistics]") {
    CHECK(rank_test({1.1, 2.2, 3.3, 4.4}, {0.5, 1.5, 2.5}) == Approx(0.2).epsilon(1e-12));
    CHECK(rank_test({1, 1, 1, .98, 1, .7}, {1, .2, .2, .95, .2, .2}) == Approx(0.0183982683982684).epsilon(1e-12));
    CHECK(rank_test({.2, .4, .9, 1, 1, 1, 1}, {.2, .2, .4, 1, .5}) == Approx(0.10858585858585859).epsilon(1e-12));
    CHECK(rank_test({.1, .2}, {.3, .4, .5}) == 1);
    CHECK(rank_test({1, 1, 1}, {1, 1, 1}) == 1);  // nothing but ties says nothing
    CHECK(rank_test(kA, kB) == Approx(0.005022269425284637).epsilon(1e-12));
    // Two modes, as replicas that learned a task and replicas that did not: 13490 of the 2704156 choices.
    CHECK(rank_test({1, 1, 1, 1, .99, .5, .5, 1, .2, .98, 1, 1}, {.2, .5, .2, 1, .2, .2, .99, .2, .2, .5, 1, .2}) ==
          Approx(13490.0 / 2704156).epsilon(1e-12));
}

TEST_CASE("the rank test counts what enumeration counts", "[statistics]") {
    std::mt19937 random(7);
    for (int trial = 0; trial < 20; ++trial) {
        Sample a(2 + random() % 4), b(2 + random() % 5);
        for (Sample* sample : {&a, &b})
            for (double& value : *sample) value = static_cast<double>(random() % 4) / 4;  // many ties
        CHECK(rank_test(a, b) == Approx(by_enumeration(a, b)).epsilon(1e-12));
    }
}

TEST_CASE("the rank test refuses what it cannot rank", "[statistics]") {
    CHECK_THROWS_AS(rank_test({}, {1}), std::invalid_argument);
    CHECK_THROWS_AS(rank_test({1}, {}), std::invalid_argument);
    CHECK_THROWS_AS(rank_test({std::nan("")}, {1}), std::invalid_argument);
    CHECK_THROWS_AS(rank_test(Sample(499, 1), {1, 2}), std::invalid_argument);
    CHECK(rank_test(Sample(250, 1), Sample(250, 0)) < 1e-100);
}

TEST_CASE("a shift's bounds are where the rank test begins to reject", "[statistics]") {
    const ShiftBounds twelve = shift_bounds(kA, kB, 0.95);
    CHECK(twelve.shift == Approx(0.32));
    CHECK(twelve.lower == Approx(0.12));
    CHECK(twelve.upper == Approx(0.52));
    const ShiftBounds few = shift_bounds({1.1, 2.2, 3.3, 4.4}, {0.5, 1.5, 2.6}, 0.95);
    CHECK(few.shift == Approx(1.2));
    CHECK(few.lower == Approx(-1.5));
    CHECK(few.upper == Approx(3.9));
    const ShiftBounds four = shift_bounds({1.13, 2.21, 3.37, 4.44}, {0.5, 1.58, 2.6, 0.71}, 0.9);
    CHECK(four.lower == Approx(0.42));
    CHECK(four.upper == Approx(2.86));
    // Two values against three: no choice is as rare as one in twenty, hence no bound.
    CHECK(shift_bounds({1, 2}, {0, 0.5, 0.7}, 0.95).lower == -std::numeric_limits<double>::infinity());
    CHECK(shift_bounds({1, 2}, {0, 0.5, 0.7}, 0.95).upper == std::numeric_limits<double>::infinity());
}

TEST_CASE("a shift's bound is missed no more often than its confidence says", "[statistics]") {
    // By simulation: half of the values are exactly 1 in both samples, the others uniform; the true shift is 0.
    std::mt19937 random(3);
    const auto draw = [&] { return random() % 2 == 0 ? 1.0 : static_cast<double>(random() % 1000) / 1000; };
    int missed = 0;
    constexpr int kTrials = 2000;
    for (int trial = 0; trial < kTrials; ++trial) {
        Sample a(12), b(12);
        for (Sample* sample : {&a, &b})
            for (double& value : *sample) value = draw();
        missed += shift_bounds(a, b, 0.95).lower > 0 ? 1 : 0;
    }
    CHECK(missed < 0.05 * kTrials + 3 * std::sqrt(0.05 * 0.95 * kTrials));
}

TEST_CASE("Holm's adjustment is statsmodels'", "[statistics]") {
    const auto check = [](const Sample& p, const Sample& expected) {
        const Sample adjusted = holm(p);
        REQUIRE(adjusted.size() == expected.size());
        for (std::size_t i = 0; i < p.size(); ++i) CHECK(adjusted[i] == Approx(expected[i]));
    };
    check({.01, .04, .03, .005}, {.03, .06, .06, .02});
    check({.2, .001, .2, .6}, {.6, .004, .6, .6});
    check({.04}, {.04});
    check({.9, .8}, {1, 1});
    CHECK(holm({}).empty());
}
