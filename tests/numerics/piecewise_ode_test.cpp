#include "core/numerics/piecewise_ode.hpp"

#include <cmath>
#include <stdexcept>

#include "tests/support/catch.hpp"

namespace n = whorl::numerics;
using n::Complex;
using Rule = n::DiscretizationRule;

namespace {

/// Steps of all kinds: tiny, long, a half turn, one that hardly decays.
n::PiecewiseOde uneven_steps(n::Between between) {
    n::PiecewiseOde ode;
    ode.dt = {1e-3, 0.9, 1.3, 0.02, 2.5};
    ode.a = {{-0.1, 1}, {-2, -3.4}, {-1e-4, 2.4}, {-30, 0}, {-0.4, -1}};
    ode.input = {{1, 0}, {-0.5, 0.25}, {0.3, -1}, {2, 2}, {0, 0.7}};
    ode.between = between;
    ode.initial = {0.2, -0.1};
    ode.input_before = {-1, 0.5};
    return ode;
}

/// Step k alone, as the other solver's problem: its closed form goes by moments of the input, not by the rules.
n::LinearOde one_step(const n::PiecewiseOde& ode, std::size_t k, Complex state) {
    n::LinearOde step;
    step.a = {.decay = -ode.a[k].real(), .modulation = 0, .frequency = 1, .rotation = ode.a[k].imag()};
    step.initial = state;
    step.duration = ode.dt[k];
    const Complex before = k == 0 ? ode.input_before : ode.input[k - 1];
    if (ode.between == n::Between::held)
        step.input = {{ode.input[k], 0, 0}};
    else
        step.input = {{before, 0, 0}, {(ode.input[k] - before) / ode.dt[k], 1, 0}};
    return step;
}

}  // namespace

TEST_CASE("a piecewise system's states are those of its steps solved one by one", "[numerics]") {
    for (const auto between : {n::Between::held, n::Between::straight}) {
        const n::PiecewiseOde ode = uneven_steps(between);
        const auto states = n::exact_states(ode);
        REQUIRE(states.size() == 6);
        CHECK(states[0] == ode.initial);
        for (std::size_t k = 0; k < ode.dt.size(); ++k) {
            CAPTURE(k, between);
            // Metric: absolute; states of order one, some roundings.
            CHECK(std::abs(states[k + 1] - n::exact_state(one_step(ode, k, states[k]))) < 1e-14);
        }
    }
}

TEST_CASE("a piecewise system's path passes its states and follows its steps", "[numerics]") {
    const int points = 8;
    for (const auto between : {n::Between::held, n::Between::straight}) {
        const n::PiecewiseOde ode = uneven_steps(between);
        const auto states = n::exact_states(ode);
        const auto path = n::exact_path(ode, points);
        REQUIRE(path.size() == 5 * points + 1);
        for (std::size_t k = 0; k < ode.dt.size(); ++k) {
            const std::vector<double> times{ode.dt[k] * 3 / points, ode.dt[k]};
            const auto inside = n::exact_states(one_step(ode, k, states[k]), times);
            CAPTURE(k, between);
            CHECK(std::abs(path[k * points + 3] - inside[0]) < 1e-14);
            CHECK(std::abs(path[(k + 1) * points] - states[k + 1]) < 1e-15);
        }
    }
}

TEST_CASE("zero-order hold is exact for held samples and no rule for straight ones", "[numerics]") {
    const auto largest_error = [](const n::PiecewiseOde& ode, Rule rule) {
        const auto exact = n::exact_states(ode), states = n::integrate(ode, rule);
        double worst = 0;
        for (std::size_t k = 0; k < exact.size(); ++k) worst = std::max(worst, std::abs(states[k] - exact[k]));
        return worst;
    };
    CHECK(largest_error(uneven_steps(n::Between::held), Rule::zero_order_hold) < 1e-15);
    for (const Rule rule : {Rule::forward_euler, Rule::backward_euler, Rule::bilinear, Rule::exponential_euler,
                            Rule::exponential_trapezoid}) {
        CAPTURE(rule);
        CHECK(largest_error(uneven_steps(n::Between::held), rule) > 0.05);
        CHECK(largest_error(uneven_steps(n::Between::straight), rule) > 0.05);
    }
    CHECK(largest_error(uneven_steps(n::Between::straight), Rule::zero_order_hold) > 0.05);
}

TEST_CASE("the rules see the same samples as in a system of equal steps", "[numerics]") {
    n::LinearOde smooth;
    smooth.a = {.decay = 0.4, .modulation = 0.5, .frequency = 2, .rotation = 3};
    smooth.input = {{Complex(1, 0.3), 0, Complex(-0.2, 1.3)}};
    smooth.initial = {0.3, 0.1};
    smooth.duration = 2;
    n::PiecewiseOde sampled;
    for (int k = 1; k <= 8; ++k) {
        sampled.dt.push_back(0.25);
        sampled.a.push_back(smooth.a.at(0.25 * k));
        sampled.input.push_back(smooth.input_at(0.25 * k));
    }
    sampled.input_before = smooth.input_at(0);
    sampled.initial = smooth.initial;
    for (const Rule rule : {Rule::forward_euler, Rule::backward_euler, Rule::bilinear, Rule::zero_order_hold,
                            Rule::exponential_euler, Rule::exponential_trapezoid}) {
        const auto want = n::integrate(smooth, n::step_rule(rule), 8), got = n::integrate(sampled, rule);
        REQUIRE(want.size() == got.size());
        for (std::size_t k = 0; k < want.size(); ++k) CHECK(std::abs(want[k] - got[k]) < 1e-15);
    }
}

TEST_CASE("each step of a trapezoid takes its own weight", "[numerics]") {
    const n::PiecewiseOde ode = uneven_steps(n::Between::held);
    const auto states = n::integrate(ode, Rule::exponential_trapezoid, {0.1, 0.2, 0.9, 1, 0});
    const Complex decay = std::exp(ode.dt[2] * ode.a[2]);
    const Complex want = decay * (states[2] + 0.1 * 1.3 * ode.input[1]) + 0.9 * 1.3 * ode.input[2];
    CHECK(std::abs(states[3] - want) < 1e-15);
}

TEST_CASE("a piecewise system whose lists differ in length is refused", "[numerics]") {
    n::PiecewiseOde ode = uneven_steps(n::Between::held);
    CHECK_THROWS_AS(n::integrate(ode, Rule::bilinear, {0.5}), std::logic_error);
    ode.a.pop_back();
    CHECK_THROWS_AS(n::exact_states(ode), std::logic_error);
    ode = uneven_steps(n::Between::held);
    ode.dt[1] = -1;
    CHECK_THROWS_AS(n::exact_path(ode, 2), std::logic_error);
}
