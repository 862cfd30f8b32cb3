#include "viz/panels/path.hpp"

#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/panels/clip.hpp"

using namespace whorl;
using namespace whorl::test;
using viz::StepLab;
using Rule = numerics::DiscretizationRule;

TEST_CASE("the path's curve solves its equation", "[viz]") {
    StepLab lab;
    lab.modulation = 0.4;
    const plot::Figure figure = viz::path_figure(lab);
    CHECK(sound(figure));
    numerics::LinearOde ode = viz::equation(lab);
    const auto& curve = mark_of<plot::Line>(panel_of(figure, "path"), "exact").points;
    for (const std::size_t i : {std::size_t{1}, curve.size() / 2, curve.size() - 1}) {
        ode.duration = curve[i].x;
        CHECK(std::fabs(curve[i].y - numerics::exact_state_by_quadrature(ode).real()) < 1e-13);
    }
    CHECK(curve.back().x == Approx(8));
}

TEST_CASE("the points of the path are the rule's own steps", "[viz]") {
    StepLab lab;
    lab.lambda = 0.7;
    const plot::Figure figure = viz::path_figure(lab);
    const auto& points = mark_of<plot::Points>(panel_of(figure, "path"), "exponential-trapezoid.points").points;
    REQUIRE(points.size() == 11);
    numerics::Complex h = 0;
    const numerics::Complex alpha = std::exp(0.8 * numerics::Complex(-0.35, 2));
    for (int k = 1; k <= 10; ++k) {
        const double before = std::cos(1.3 * 0.8 * (k - 1)), now = std::cos(1.3 * 0.8 * k);
        h = alpha * h + 0.3 * 0.8 * alpha * before + 0.7 * 0.8 * now;
        CHECK(points[static_cast<std::size_t>(k)].x == Approx(0.8 * k));
        CHECK(std::fabs(points[static_cast<std::size_t>(k)].y - h.real()) < 1e-13);
    }
}

TEST_CASE("the path's claim names the rule that strays least", "[viz]") {
    StepLab lab;
    CHECK(viz::path_figure(lab).claim == "At Δ = 0.8 the exponential trapezoid stays closest to the path");
    lab.lambda = 1;  // the same rule twice
    lab.rules = {Rule::exponential_euler, Rule::exponential_trapezoid, Rule::forward_euler};
    CHECK(viz::path_figure(lab).claim ==
          "At Δ = 0.8 exponential Euler and the exponential trapezoid stay closest to the path");
    lab.rules = {Rule::forward_euler};
    CHECK(viz::path_figure(lab).claim == "At Δ = 0.8 no rule stays near the path");
}

TEST_CASE("a rule that leaves the panel ends at its edge", "[viz]") {
    StepLab lab;
    lab.dt = 0.5;
    const plot::Figure figure = viz::path_figure(lab);
    CHECK(sound(figure));
    const plot::Panel& panel = panel_of(figure, "path");
    const auto& line = mark_of<plot::Line>(panel, "forward-euler").points;
    CHECK(line.back().x < 8);
    CHECK(std::min(std::fabs(line.back().y - panel.y.high), std::fabs(line.back().y - panel.y.low)) < 1e-12);
}

TEST_CASE("a step that does not divide the time ends before it", "[viz]") {
    StepLab lab;
    lab.dt = 3;
    const plot::Figure figure = viz::path_figure(lab);
    CHECK(sound(figure));
    CHECK(mark_of<plot::Points>(panel_of(figure, "path"), "exponential-euler.points").points.back().x <= 6);
    lab.dt = 8;
    CHECK(sound(viz::path_figure(lab)));
    lab.dt = 0.001;
    CHECK_FALSE(has_mark<plot::Points>(panel_of(viz::path_figure(lab), "path"), "bilinear.points"));
}

TEST_CASE("a line is cut at both edges and joined nowhere", "[viz]") {
    const std::vector<plot::Point> line{{0, 0}, {1, 4}, {2, 0}, {3, -4}, {4, 0.5}};
    const auto parts = viz::between_heights(line, -1, 2);
    const std::vector<plot::Point> want{{0, 0},     {0.5, 2},   {NAN, NAN},        {1.5, 2}, {2, 0},
                                        {2.25, -1}, {NAN, NAN}, {3 + 3 / 4.5, -1}, {4, 0.5}};
    REQUIRE(parts.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
        CAPTURE(i);
        if (std::isnan(want[i].x)) {
            CHECK(std::isnan(parts[i].x));
        } else {
            CHECK(parts[i].x == Approx(want[i].x));
            CHECK(parts[i].y == Approx(want[i].y));
        }
    }
    CHECK(viz::first_part(parts).size() == 2);
    CHECK(viz::between_heights({{0, 5}, {1, -5}}, -1, 1).size() == 2);  // straight through
    CHECK(viz::between_heights({{0, 5}, {1, 6}}, -1, 1).empty());
    CHECK(viz::between_heights({{0, 0}, {1, HUGE_VAL}, {2, 0}}, -1, 1).empty());
}
