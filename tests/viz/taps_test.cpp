#include "viz/panels/taps.hpp"

#include <cmath>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/viz/figure_marks.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

/// Ones are long steps with all weight on their own, zeros short ones.
viz::TapsState bits() {
    return {.tokens = {"0", "1", "0", "1"}, .weights = {{0.02, 1.2, 0.03, 1.3}, {0.1, 0.05, 0.2, 0}}, .head = "head 1"};
}

}  // namespace

TEST_CASE("taps are drawn at their tokens and the last waits for its second", "[viz]") {
    const plot::Figure figure = viz::taps_figure(bits());
    CHECK(sound(figure));
    const plot::Panel& panel = panel_of(figure, "taps");
    const auto& own = mark_of<plot::Stems>(panel, "own").points;
    const auto& next = mark_of<plot::Stems>(panel, "next").points;
    REQUIRE(own.size() == 4);
    REQUIRE(next.size() == 3);
    CHECK(own[3].y == 1.3);
    CHECK(next[2].y == 0.2);
    CHECK(std::lround(next[2].x) == 2);
    CHECK(panel.x.ticks[1].text == "1");
    CHECK(figure.panels.size() == 1);
}

TEST_CASE("the claim about taps is read off the weights", "[viz]") {
    viz::TapsState state = bits();
    CHECK(viz::taps_figure(state).claim == "A 0 gets most weight from the next step");
    state.weights.next[2] = 0.01;  // not every zero any more
    CHECK(viz::taps_figure(state).claim == "One of three inputs gets most of its weight from the next step");
    state.weights.next = {0, 0, 0, 0};
    CHECK(viz::taps_figure(state).claim == "Every input gets most of its weight at its own step");
    state.weights.next = {9, 9, 9, 0};
    CHECK(viz::taps_figure(state).claim == "Every input gets most of its weight from the next step");
}

TEST_CASE("a convolution's taps stand beside by their root mean square", "[viz]") {
    viz::TapsState state = bits();
    state.convolution.channels = {{0, 0.3, -0.3, 3}, {0, 0.4, 0.4, -4}};
    const plot::Figure figure = viz::taps_figure(state);
    CHECK(sound(figure));
    const plot::Panel& panel = panel_of(figure, "convolution");
    const auto& sizes = mark_of<plot::Stems>(panel, "sizes").points;
    REQUIRE(sizes.size() == 4);
    CHECK(sizes[0].y == Approx(std::sqrt(12.5)));  // the newest token's
    CHECK(sizes[3].y == 0);
    CHECK(mark_of<plot::Points>(panel, "channels").points.size() == 8);
    state.convolution.channels[1].pop_back();
    CHECK_THROWS_AS(viz::taps_figure(state), UserError);
}

TEST_CASE("taps that cannot be drawn are refused", "[viz]") {
    viz::TapsState state = bits();
    state.weights.own[1] = NAN;
    CHECK_THROWS_WITH(viz::taps_figure(state), Catch::Matchers::ContainsSubstring("step 1"));
    state = bits();
    state.weights.next.pop_back();
    CHECK_THROWS_AS(viz::taps_figure(state), UserError);
    CHECK_THROWS_AS(viz::taps_figure({}), UserError);
    viz::TapsState one{.tokens = {"1"}, .weights = {{0.5}, {0}}};
    CHECK(sound(viz::taps_figure(one)));
}
