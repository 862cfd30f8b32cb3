#include "viz/panels/map.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/panels/turning.hpp"

using namespace whorl;
using namespace whorl::test;
using Complex = std::complex<double>;
using Rule = numerics::DiscretizationRule;

namespace {

constexpr double kPi = 3.14159265358979323846;

viz::MapState map_of(Rule rule) {
    viz::MapState state;
    state.rule = rule;
    state.cells = 20;
    return state;
}

double degrees_at_half_turn(Rule rule) {
    return mark_of<plot::Points>(panel_of(viz::map_figure(map_of(rule)), "turning"), "at-half-turn").points[0].y;
}

}  // namespace

TEST_CASE("at half a turn only the exponential rules turn by half", "[viz]") {
    CHECK(degrees_at_half_turn(Rule::bilinear) == Approx(115).margin(0.05));
    CHECK(degrees_at_half_turn(Rule::forward_euler) == Approx(72.3).margin(0.05));
    CHECK(degrees_at_half_turn(Rule::backward_euler) == Approx(72.3).margin(0.05));
    for (const Rule rule : {Rule::zero_order_hold, Rule::exponential_euler, Rule::exponential_trapezoid})
        CHECK(degrees_at_half_turn(rule) == Approx(180));
    CHECK(std::abs(viz::factor(Rule::forward_euler, {0, kPi})) == Approx(3.30).margin(0.005));
    CHECK(std::abs(viz::factor(Rule::bilinear, {0, kPi})) == Approx(1));
}

TEST_CASE("the map's claim is what its rule does", "[viz]") {
    CHECK(viz::map_figure(map_of(Rule::bilinear)).claim ==
          "Without decay, the bilinear rule never reaches half a turn");
    CHECK(viz::map_figure(map_of(Rule::forward_euler)).claim ==
          "Without decay, forward Euler never reaches a quarter turn");
    CHECK(viz::map_figure(map_of(Rule::exponential_euler)).claim ==
          "Exponential Euler turns a state exactly as far as its equation");
    // The limits are 2·atan(∞) and atan(∞) in closed form.
    CHECK(viz::limit_of_turning(Rule::bilinear) == Approx(kPi));
    CHECK(viz::limit_of_turning(Rule::backward_euler) == Approx(kPi / 2));
    CHECK(std::isinf(viz::limit_of_turning(Rule::exponential_euler)));
    CHECK(viz::turned_angle(Rule::exponential_euler, 20) == Approx(20));  // unwrapped
}

TEST_CASE("the map's boundary is where the factor has size one", "[viz]") {
    for (const Rule rule : {Rule::forward_euler, Rule::backward_euler}) {
        const plot::Figure figure = viz::map_figure(map_of(rule));
        CHECK(sound(figure));
        int points = 0;
        for (const plot::Point p : mark_of<plot::Line>(panel_of(figure, "plane"), "boundary").points) {
            if (!std::isfinite(p.x)) continue;
            points += 1;
            CAPTURE(rule, p.x, p.y);
            // Metric: absolute; points on the panel's edge are on a chord between two degrees, 2e-4 inside the circle.
            CHECK(std::fabs(std::abs(viz::factor(rule, {p.x, p.y})) - 1) < 1e-3);
        }
        CHECK(points > 100);
    }
    for (const Rule rule : {Rule::bilinear, Rule::zero_order_hold, Rule::exponential_trapezoid}) {
        const plot::Figure figure = viz::map_figure(map_of(rule));
        CHECK(sound(figure));
        const double at = mark_of<plot::Rule>(panel_of(figure, "plane"), "boundary").at;
        for (const double y : {-4.0, 0.3, 3.0}) CHECK(std::abs(viz::factor(rule, {at, y})) == Approx(1).epsilon(1e-14));
    }
}

TEST_CASE("the map's shade is the distance of the factor from the exact one", "[viz]") {
    viz::MapState state = map_of(Rule::bilinear);
    state.cells = 7;
    const plot::Figure figure = viz::map_figure(state);
    const auto& grid = mark_of<plot::Grid>(panel_of(figure, "plane"), "off-by");
    REQUIRE(grid.values.size() == 49);
    for (const std::size_t row : {std::size_t{0}, std::size_t{3}, std::size_t{5}})
        for (const std::size_t column : {std::size_t{2}, std::size_t{6}}) {
            const Complex z((grid.x_edges[column] + grid.x_edges[column + 1]) / 2,
                            (grid.y_edges[row] + grid.y_edges[row + 1]) / 2);
            const double off = std::abs((2.0 + z) / (2.0 - z) - std::exp(z));
            CHECK(grid.values[row * 7 + column] == Approx(std::min(off, 2.0)));
        }
    CHECK(viz::off_by(Rule::backward_euler, {1, 0}) == HUGE_VAL);  // its pole, which no cell's centre hits
    state.cells = 66;                                              // but they come near, with Re z = 1
    state.rule = Rule::backward_euler;
    CHECK(sound(viz::map_figure(state)));
    const plot::Figure exact = viz::map_figure(map_of(Rule::zero_order_hold));
    for (const double value : mark_of<plot::Grid>(panel_of(exact, "plane"), "off-by").values) CHECK(value < 1e-14);
}

TEST_CASE("the map's dots hold the model's steps by number", "[viz]") {
    viz::MapState state = map_of(Rule::bilinear);
    state.model.push_back(
        {"at a 1", {{-0.1, 3}, {-0.1, 3}, {-0.1, 3.001}, {-2, 0}, {-50, 1}}, plot::Shape::square, true});
    state.lambda = {0, 0.5, 0.51, 1};
    const plot::Figure figure = viz::map_figure(state);
    CHECK(sound(figure));
    const auto& dots = mark_of<plot::Points>(panel_of(figure, "plane"), "model-0");
    REQUIRE(dots.points.size() == 2);  // one is out of the picture, which the words say
    REQUIRE(dots.sizes.size() == 2);
    CHECK(dots.sizes[0] == 1);
    CHECK(dots.sizes[1] == 3);
    CHECK(dots.points[1].y == Approx(3).margin(1e-3));
    CHECK_THAT(figure.words.back(), Catch::Matchers::ContainsSubstring("5 steps of a pair, one of them outside"));
    double steps = 0;
    for (const plot::Bar& bar : mark_of<plot::Bars>(panel_of(figure, "lambda"), "lambda").bars) steps += bar.to;
    CHECK(steps == 4);
    state.model[0].z.push_back({NAN, 0});
    CHECK_THROWS_AS(viz::map_figure(state), UserError);
    state.model.clear();
    state.cells = 1;
    CHECK_THROWS_AS(viz::map_figure(state), UserError);
}

TEST_CASE("rules have distinct names and are found by them", "[viz]") {
    for (const viz::RuleStyle& style : viz::rule_styles()) CHECK(viz::rule_named(style.id) == style.rule);
    CHECK_THROWS_WITH(viz::rule_named("bilinar"), Catch::Matchers::ContainsSubstring("did you mean 'bilinear'"));
}

TEST_CASE("rules with one factor share a plane", "[viz]") {
    const plot::Figure figure = viz::rule_maps_figure(10);
    CHECK(sound(figure));
    REQUIRE(figure.panels.size() == 4);  // two Euler rules, the exponential ones, the bilinear
    CHECK(panel_of(figure, "zero-order-hold").title == "Zero-order hold, exponential Euler and exponential trapezoid");
    CHECK(figure.claim == "Three rules of six turn a state as far as its equation; the others fall short");
    const auto& forward = mark_of<plot::Grid>(panel_of(figure, "forward-euler"), "off-by");
    CHECK(*std::max_element(forward.values.begin(), forward.values.end()) == 2);  // the shade's end
    CHECK_THROWS_AS(viz::rule_maps_figure(0), UserError);
}

TEST_CASE("words about a model's steps hold where e to the z underflows", "[viz]") {
    viz::MapState state = map_of(Rule::zero_order_hold);
    state.model.push_back({"far", {{-900, 1}, {-800, 0}, {-1000, 2}}});
    CHECK_THAT(viz::map_figure(state).words.back(), Catch::Matchers::ContainsSubstring("would be 0."));
    state.rule = Rule::backward_euler;
    state.model[0].z = {{1, 0}, {1, 0}};  // its pole
    CHECK_THAT(viz::map_figure(state).words.back(), Catch::Matchers::ContainsSubstring("would be without bound"));
}
