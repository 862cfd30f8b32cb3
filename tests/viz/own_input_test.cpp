#include "viz/panels/own_input.hpp"

#include <cmath>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/viz/figure_marks.hpp"

using namespace whorl;
using namespace whorl::test;
using numerics::Between;

namespace {

constexpr double kPi = 3.14159265358979323846;

/// As a model that counts: every 1 turns by half, every 0 hardly.
viz::OwnInputState counting(Between between, double lambda) {
    return {.tokens = {"1", "0", "1", "1"},
            .dt = {1, 0.02, 1, 1},
            .a = {{-1e-4, -kPi}, {-1e-4, -0.1}, {-1e-4, -kPi}, {-1e-4, -kPi}},
            .input = {{1, 0}, {0.5, 0.2}, {1, 0}, {1, 0}},
            .lambda = std::vector<double>(4, lambda),
            .between = between,
            .place = "head 0"};
}

const plot::Line& line(const plot::Figure& figure, const std::string& panel, const std::string& id) {
    return mark_of<plot::Line>(panel_of(figure, panel), id);
}

}  // namespace

TEST_CASE("own input is exact for the rule of its reading", "[viz]") {
    const plot::Figure figure = viz::own_input_figure(counting(Between::held, 1));
    CHECK(sound(figure));
    for (const plot::Point p : line(figure, "distance", "zero-order-hold").points) CHECK(p.y < 1e-14);
    double worst = 0;
    for (const plot::Point p : line(figure, "distance", "exponential-trapezoid").points) worst = std::max(worst, p.y);
    CHECK(worst > 0.5);
}

TEST_CASE("after one half turn the model's rule is as far off as its input weight", "[viz]") {
    // From a state of 0 the first step is the input's weight alone: Δ against the exact (e^z - 1)/z, 186 % of it, with
    // the input held; with it straight from 0, half of Δ against φ₂(z): 115 %.
    viz::OwnInputState state = counting(Between::held, 1);
    for (auto* list : {&state.dt, &state.lambda}) list->resize(1);
    state.tokens.resize(1);
    state.input.resize(1);
    state.a = {{0, -kPi}};
    CHECK(viz::own_input_figure(state).claim == "Input held between tokens: the model's rule is off by up to 186 %");
    state.between = Between::straight;
    state.lambda = {0.5};
    const plot::Figure straight = viz::own_input_figure(state);
    CHECK(straight.claim == "Input straight between tokens: the model's rule is off by up to 115 %");
    CHECK(sound(straight));
}

TEST_CASE("the curve of own input passes the exact states at the tokens", "[viz]") {
    const viz::OwnInputState state = counting(Between::straight, 0.5);
    const plot::Figure figure = viz::own_input_figure(state);
    const auto& curve = line(figure, "path", "exact").points;
    const auto exact = numerics::exact_states(
        numerics::PiecewiseOde{.dt = state.dt, .a = state.a, .input = state.input, .between = Between::straight});
    int found = 0;
    for (const plot::Point p : curve)
        for (std::size_t k = 0; k < exact.size(); ++k)
            if (std::fabs(p.x - double(k)) < 1e-9) {
                CHECK(std::fabs(p.y - exact[k].real()) < 1e-13);
                found += 1;
            }
    CHECK(found == 5);
}

TEST_CASE("own input stays in its frame where a rule blows up", "[viz]") {
    viz::OwnInputState state = counting(Between::held, 0.5);
    for (int copies = 0; copies < 7; ++copies) {
        const auto twice = [](auto& list) {
            const auto copy = list;
            list.insert(list.end(), copy.begin(), copy.end());
        };
        twice(state.tokens);
        twice(state.dt);
        twice(state.a);
        twice(state.input);
        twice(state.lambda);
    }
    for (auto& a : state.a) a += -40.0;
    CHECK(state.tokens.size() == 512);
    const plot::Figure figure = viz::own_input_figure(state);
    CHECK(sound(figure));
    CHECK_THAT(figure.words[1], Catch::Matchers::ContainsSubstring("Forward Euler is off by"));
}

TEST_CASE("own input that cannot be read is refused by name", "[viz]") {
    viz::OwnInputState state = counting(Between::held, 0.5);
    state.dt[2] = -1;
    CHECK_THROWS_WITH(viz::own_input_figure(state), Catch::Matchers::ContainsSubstring("the Δ of step 2"));
    state = counting(Between::held, 1.5);
    CHECK_THROWS_WITH(viz::own_input_figure(state), Catch::Matchers::ContainsSubstring("the λ of step 0"));
    state = counting(Between::held, 0.5);
    state.a[1] = {NAN, 0};
    CHECK_THROWS_AS(viz::own_input_figure(state), UserError);
    state = counting(Between::held, 0.5);
    state.a.pop_back();
    CHECK_THROWS_AS(viz::own_input_figure(state), UserError);
    CHECK_THROWS_AS(viz::own_input_figure({}), UserError);
}
