#include "app/check/binomial.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

using Catch::Approx;
using namespace whorl;

TEST_CASE("pass rate bounds have their closed forms at the ends", "[check]") {
    // All of n passed: P(n of n | rate) = rate^n = 1 - confidence.
    CHECK(lower_pass_rate(16, 16, 0.95) == Approx(std::pow(0.05, 1.0 / 16)).epsilon(1e-9));
    CHECK(upper_pass_rate(0, 16, 0.95) == Approx(1 - std::pow(0.05, 1.0 / 16)).epsilon(1e-9));
    CHECK(lower_pass_rate(0, 16, 0.95) == 0);
    CHECK(upper_pass_rate(16, 16, 0.95) == 1);
    CHECK(lower_pass_rate(1, 1, 0.9) == Approx(0.1).epsilon(1e-9));
}

TEST_CASE("pass rate bounds agree with published intervals", "[check]") {
    // Clopper and Pearson's two-sided 95 % interval of 10 in 20, 0.2720 to 0.7280: each side with 97.5 %.
    CHECK(lower_pass_rate(10, 20, 0.975) == Approx(0.2720).margin(5e-5));
    CHECK(upper_pass_rate(10, 20, 0.975) == Approx(0.7280).margin(5e-5));
    // 1 in 10: 0.0025 to 0.4450.
    CHECK(lower_pass_rate(1, 10, 0.975) == Approx(0.0025).margin(5e-5));
    CHECK(upper_pass_rate(1, 10, 0.975) == Approx(0.4450).margin(5e-5));
}

TEST_CASE("a pass rate bound is missed no more often than its confidence says", "[check]") {
    // Exactly, by summing over all outcomes: P(lower bound > true rate) <= 5 %.
    constexpr std::int64_t n = 12;
    for (const double rate : {0.1, 0.35, 0.5, 0.8, 0.95}) {
        double missed = 0;
        for (std::int64_t k = 0; k <= n; ++k) {
            double probability = 1;
            for (std::int64_t i = 0; i < k; ++i)
                probability *= rate * static_cast<double>(n - i) / static_cast<double>(k - i);
            probability *= std::pow(1 - rate, static_cast<double>(n - k));
            if (lower_pass_rate(k, n, 0.95) > rate) missed += probability;
        }
        CHECK(missed <= 0.05);
    }
}
