#include "viz/panels/error.hpp"

#include <cmath>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/panels/error_curves.hpp"
#include "viz/panels/path.hpp"

using namespace whorl;
using namespace whorl::test;
using viz::StepLab;

namespace {

/// Slope of a rule's line over its finest steps, from the drawn points alone.
double drawn_slope(const plot::Figure& figure, const std::string& rule) {
    const auto& points = mark_of<plot::Line>(panel_of(figure, "error"), rule).points;
    const plot::Point fine = points.back(), coarse = points[points.size() - 3];
    return std::log(coarse.y / fine.y) / std::log(coarse.x / fine.x);
}

StepLab moving(numerics::SampleAt at) {
    StepLab lab;
    lab.modulation = 0.5;
    lab.a_at = at;
    return lab;
}

}  // namespace

TEST_CASE("error lines have the orders of their rules", "[viz]") {
    const plot::Figure figure = viz::error_figure(StepLab{});
    CHECK(sound(figure));
    CHECK(drawn_slope(figure, "exponential-trapezoid") == Approx(2).margin(0.02));
    CHECK(drawn_slope(figure, "bilinear") == Approx(2).margin(0.02));
    for (const char* rule : {"forward-euler", "backward-euler", "zero-order-hold", "exponential-euler"}) {
        CAPTURE(rule);
        CHECK(drawn_slope(figure, rule) == Approx(1).margin(0.02));
    }
    CHECK(figure.claim == "Halve the step: two rules quarter their error");
}

TEST_CASE("a trapezoid that leans to one side only halves its error", "[viz]") {
    StepLab lab;
    lab.lambda = 0.6;
    const plot::Figure figure = viz::error_figure(lab);
    CHECK(drawn_slope(figure, "exponential-trapezoid") == Approx(1).margin(0.02));
    CHECK(figure.claim == "Halve the step: only the bilinear rule quarters its error");
}

TEST_CASE("a decay that moves costs the second order unless it is taken mid-step", "[viz]") {
    const plot::Figure end = viz::error_figure(moving(numerics::SampleAt::end));
    CHECK(sound(end));
    CHECK(drawn_slope(end, "exponential-trapezoid") == Approx(1).margin(0.02));
    CHECK(end.claim == "Halve the step: every rule halves its error, none quarters it");
    const plot::Figure middle = viz::error_figure(moving(numerics::SampleAt::middle));
    CHECK(drawn_slope(middle, "exponential-trapezoid") == Approx(2).margin(0.02));
}

TEST_CASE("every rule only halves its error with its input as layers take it", "[viz]") {
    StepLab lab;
    lab.held = true;
    const plot::Figure figure = viz::error_figure(lab);
    CHECK(drawn_slope(figure, "bilinear") == Approx(1).margin(0.02));
    CHECK(figure.claim == "Halve the step: every rule halves its error, none quarters it");
    lab.rules = {numerics::DiscretizationRule::bilinear};
    CHECK(viz::error_figure(lab).claim == "Halve the step: the bilinear rule halves its error");
}

TEST_CASE("slope triangles have slopes one and two", "[viz]") {
    const plot::Figure figure = viz::error_figure(StepLab{});
    for (const int slope : {1, 2}) {
        const auto& corners = mark_of<plot::Line>(panel_of(figure, "error"), "slope-" + std::to_string(slope)).points;
        REQUIRE(corners.size() == 4);
        CHECK(std::log(corners[2].y / corners[0].y) / std::log(corners[2].x / corners[0].x) == Approx(slope));
    }
}

TEST_CASE("the error figure marks the chosen step and the model's", "[viz]") {
    StepLab lab;
    lab.dt = 0.5;
    const plot::Figure figure = viz::error_figure(lab, viz::ModelSteps{1e-4, 60, "a trained 1"});
    CHECK(sound(figure));  // however small and large they are
    const plot::Panel& panel = panel_of(figure, "error");
    CHECK(mark_of<plot::Rule>(panel, "step").at == Approx(0.5 * std::hypot(0.35, 2)));
    CHECK(mark_of<plot::Band>(panel, "model").high == 60);
    CHECK_THROWS_AS(viz::error_figure(lab, viz::ModelSteps{2, 1, "none"}), UserError);
    CHECK_THROWS_AS(viz::error_figure(lab, viz::ModelSteps{0, 1, "none"}), UserError);
}

TEST_CASE("the error figure stays in its frame where rules blow up", "[viz]") {
    StepLab lab;
    lab.decay = 60;
    lab.rotation = 200;
    CHECK(sound(viz::error_figure(lab)));
    lab.decay = -2;  // a state that grows
    CHECK(sound(viz::error_figure(lab)));
}

TEST_CASE("a rule without a number is not called exact", "[viz]") {
    StepLab lab;
    lab.decay = -1000;  // e^8000 is none
    for (const viz::ErrorCurve& curve : viz::error_curves(lab)) {
        CHECK(curve.points.empty());
        CHECK_FALSE(curve.exact);
        CHECK_FALSE(curve.of_order(1));
    }
    CHECK_THROWS_WITH(viz::error_figure(lab), Catch::Matchers::ContainsSubstring("grow by e^500 at most"));
}

TEST_CASE("a state that decays at once has an exact one to compare with", "[viz]") {
    StepLab lab;
    lab.decay = 1000;
    lab.rotation = 0;
    const plot::Figure figure = viz::error_figure(lab);
    CHECK(sound(figure));
    CHECK(has_mark<plot::Line>(panel_of(figure, "error"), "backward-euler"));
    CHECK(sound(viz::path_figure(lab)));
}

TEST_CASE("an equation without meaning is refused by name", "[viz]") {
    const auto refused = [](void (*spoil)(StepLab&), const std::string& what) {
        StepLab lab;
        spoil(lab);
        CHECK_THROWS_WITH(viz::error_figure(lab), Catch::Matchers::ContainsSubstring(what));
    };
    refused([](StepLab& l) { l.dt = 0; }, "the step is 0");
    refused([](StepLab& l) { l.dt = 9; }, "at most the duration");
    refused([](StepLab& l) { l.lambda = 1.5; }, "lambda is 1.5");
    refused([](StepLab& l) { l.decay = NAN; }, "the decay");
    refused([](StepLab& l) { l.rules.clear(); }, "no rule");
    refused([](StepLab& l) { l.rules.push_back(l.rules[0]); }, "twice");
    refused([](StepLab& l) { l.decay = l.rotation = 0; }, "A is 0");
}
