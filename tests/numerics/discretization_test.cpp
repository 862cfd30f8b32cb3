#include "core/numerics/discretization.hpp"

#include <cmath>
#include <complex>
#include <limits>

#include "tests/support/catch.hpp"

namespace n = whorl::numerics;
using Rule = n::DiscretizationRule;

namespace {

constexpr Rule kRules[] = {Rule::forward_euler,   Rule::backward_euler,    Rule::bilinear,
                           Rule::zero_order_hold, Rule::exponential_euler, Rule::exponential_trapezoid};

constexpr bool same(n::Coefficients<double> c, double alpha, double beta, double gamma) {
    return c.alpha == alpha && c.beta == beta && c.gamma == gamma;
}

// Numbers chosen so that every operation is exact.
static_assert(same(n::forward_euler(0.5, -1.0), 0.5, 0.5, 0));
static_assert(same(n::backward_euler(0.5, -2.0), 0.5, 0, 0.25));
static_assert(same(n::bilinear(0.5, -4.0), 0, 0.125, 0.125));
static_assert(same(n::held_input(n::bilinear(0.5, -4.0)), 0, 0, 0.25));
#ifndef __clang__  // whose __builtin_fma is no constant expression
static_assert(same(n::exp_trapezoid(0.5, 0.0, 0.25), 1, 0.375, 0.125));
static_assert(same(n::exp_trapezoid(0.5, -3.0, 1.0), n::exp(-1.5), 0, 0.5));

/// Without decay every rule integrates a constant input exactly: α = 1 and β + γ = Δ.
constexpr bool integrates_constants() {
    for (const Rule rule : kRules) {
        const auto c = n::discretize(rule, 0.25, 0.0, 0.125);
        if (c.alpha != 1 || c.beta + c.gamma != 0.25) return false;
    }
    return true;
}
static_assert(integrates_constants());

/// The trapezoid lies between its ends, λ = 1 and λ = 0, by exactly λ.
constexpr bool trapezoid_is_affine_in_its_weight() {
    const auto at0 = n::exp_trapezoid(0.5, -3.0, 0.0), at1 = n::exp_trapezoid(0.5, -3.0, 1.0),
               at = n::exp_trapezoid(0.5, -3.0, 0.25);
    return at0.gamma == 0 && at1.beta == 0 && at.gamma == 0.25 * at1.gamma && at.beta == 0.75 * at0.beta &&
           at.alpha == at0.alpha;
}
static_assert(trapezoid_is_affine_in_its_weight());
#endif

/// A loss linear in the coefficients, with unequal weights.
double loss(n::Coefficients<double> c) {
    return 0.3 * c.alpha - 1.7 * c.beta + 0.9 * c.gamma;
}
double loss(n::ScanCoefficients<double> c) {
    return 0.3 * c.log_decay - 1.7 * c.carry + 0.9 * c.gamma;
}

template <class F>
n::StepGradient<double> differences(F f, double dt, double a, double lambda) {
    const double h = 3e-6;
    return {(f(dt + h, a, lambda) - f(dt - h, a, lambda)) / (2 * h),
            (f(dt, a + h, lambda) - f(dt, a - h, lambda)) / (2 * h),
            (f(dt, a, lambda + h) - f(dt, a, lambda - h)) / (2 * h)};
}

// Metric: largest absolute difference of the three components; h²f'''/6 + ε/h is below 4e-10 for
// the values used (A³ = 64 is the largest derivative).
constexpr double kDifferenceLimit = 1e-9;

double distance(n::StepGradient<double> p, n::StepGradient<double> q) {
    return std::fmax(std::fabs(p.dt - q.dt), std::fmax(std::fabs(p.a - q.a), std::fabs(p.lambda - q.lambda)));
}

}  // namespace

TEST_CASE("the trapezoid's gradients equal central differences", "[numerics]") {
    for (const double dt : {0.01, 0.3, 1.2})
        for (const double a : {-4.0, -0.5, -1e-4})
            for (const double lambda : {0.0, 0.2, 0.5, 1.0}) {
                CAPTURE(dt, a, lambda);
                const auto direct = n::exp_trapezoid_backward(dt, a, lambda, {0.3, -1.7, 0.9});
                CHECK(distance(direct, differences([](auto... v) { return loss(n::exp_trapezoid(v...)); }, dt, a,
                                                   lambda)) < kDifferenceLimit);
                const auto scan = n::exp_trapezoid_scan_backward(dt, a, lambda, {0.3, -1.7, 0.9});
                CHECK(distance(scan, differences([](auto... v) { return loss(n::exp_trapezoid_scan(v...)); }, dt, a,
                                                 lambda)) < kDifferenceLimit);
                // What a wrong weight of one term would look like must not pass.
                CHECK(distance({direct.dt, direct.a * 1.001 + 1e-4, direct.lambda}, direct) > kDifferenceLimit);
            }
}

TEST_CASE("the scan's coefficients are the step's", "[numerics]") {
    for (const double a : {-3.0, -0.1})
        for (const double lambda : {0.0, 0.3, 1.0}) {
            const auto step = n::exp_trapezoid(0.7, a, lambda);
            const auto scan = n::exp_trapezoid_scan(0.7, a, lambda);
            CHECK(n::exp(scan.log_decay) == step.alpha);
            CHECK(scan.carry * step.alpha == step.beta);
            CHECK(scan.gamma == step.gamma);
        }
}

TEST_CASE("zero-order hold does not cancel for a tiny eigenvalue", "[numerics]") {
    // Metric: relative error against the series, whose third term is below rounding for |ΔA| ≤ 1e-7. Four roundings.
    const double limit = 4 * std::numeric_limits<double>::epsilon();
    for (double size = 1e-300; size < 1e-7; size *= 10) {
        CAPTURE(size);
        const std::complex<double> a{-0.6 * size, 0.8 * size};
        const std::complex<double> want = 0.5 * (1.0 + 0.25 * a + 0.125 / 3 * a * a);
        CHECK(std::abs(n::zero_order_hold(0.5, a).gamma - want) <= limit * std::abs(want));
        CHECK(std::fabs(n::zero_order_hold(0.5, -size).gamma - 0.5 * (1 - 0.25 * size)) <= limit);
    }
    const double a = -1e-12;  // the plain formula loses four digits here and more
    CHECK(std::fabs((std::exp(0.5 * a) - 1) / a - 0.5) > 1e-6);
}

TEST_CASE("complex rules agree with the complex exponential and with the real rules", "[numerics]") {
    using C = std::complex<double>;
    // Metric: absolute error; all values are of order one, and some ten roundings are behind each.
    const double limit = 1e-15 * 4;
    for (const C a : {C(-0.5, 2), C(-3, -1), C(-1e-3, 0.7), C(0, 3)}) {
        const C power = std::exp(0.7 * a);
        const auto trapezoid = n::exp_trapezoid(0.7, a, 0.3);
        CHECK(std::abs(trapezoid.alpha - power) < limit);
        CHECK(std::abs(trapezoid.beta - 0.7 * 0.7 * power) < limit);
        CHECK(std::abs(trapezoid.gamma - 0.21) < limit);
        CHECK(std::abs(n::zero_order_hold(0.7, a).gamma - (power - 1.0) / a) < limit);
    }
    for (const Rule rule : kRules) {
        const auto real = n::discretize(rule, 0.7, -0.4, 0.3);
        const auto complex = n::discretize(rule, 0.7, C(-0.4), 0.3);
        CHECK(std::abs(complex.alpha - real.alpha) < limit);
        CHECK(std::abs(complex.beta - real.beta) < limit);
        CHECK(std::abs(complex.gamma - real.gamma) < limit);
    }
}

TEST_CASE("zero-order hold is exact for a held input and forward Euler is not", "[numerics]") {
    const double dt = 0.7, a = -1.3, want = (std::exp(dt * a) - 1) / a;
    CHECK(n::zero_order_hold(dt, a).gamma == Approx(want).epsilon(1e-15));
    CHECK(std::fabs(n::held_input(n::forward_euler(dt, a)).gamma - want) > 0.1);
}
