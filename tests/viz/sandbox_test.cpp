// The sandbox's closed forms, its ghosts, and drags that put a handle under the pointer.
#include "viz/panels/sandbox.hpp"

#include <cmath>
#include <complex>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/data/counted_ones.hpp"
#include "viz/data/hand_handles.hpp"
#include "viz/data/hand_presets.hpp"
#include "viz/state/controls.hpp"
#include "viz/views/sandbox_view.hpp"

using namespace whorl;
using namespace whorl::test;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double kPi = 3.14159265358979323846;

ViewState state_of(const std::string& settings) {
    return read_link("whorl:1?view=sandbox&" + settings).state;
}
plot::Figure figure_of(const std::string& settings) {
    return sandbox_figure(make_sandbox(state_of(settings)));
}
std::complex<double> last(const ViewState& state) {
    const trace::PlanePoint u = steps_of(hand_pair_of(state), bits_of(state)).steps.back().u;
    return {u.x, u.y};
}
plot::Point handle_in(const ViewState& state, const std::string& fields) {
    return mark_of<plot::Handle>(panel_of(sandbox_figure(make_sandbox(state)), "dial"), fields).at;
}
double apart(plot::Point a, plot::Point b) {
    return std::hypot(a.x - b.x, a.y - b.y);
}

}  // namespace

TEST_CASE("a number comes back after a whole turn and shrinks by exp of ΔA a step", "[viz][sandbox]") {
    for (const auto& [angle, steps] : {std::pair{90, 4}, {45, 8}, {30, 12}, {180, 2}, {120, 3}}) {
        const std::string text = "1" + std::string(static_cast<std::size_t>(steps), '0');
        const std::string link = "preset=number&text=" + text + "&turn0=" + std::to_string(angle);
        CHECK(std::abs(last(state_of(link)) - 1.0) < 1e-12);
        const double size = std::abs(last(state_of(link + "&decay0=0.3&dt0=1")));
        CHECK(size == Approx(std::exp(-0.3 * steps)).epsilon(1e-12));
    }
    // Δ scales both: θΔ and ΔA.
    const std::complex<double> half = last(state_of("preset=number&text=10&turn0=90&decay0=0.4&dt0=0.5"));
    CHECK(std::arg(half) == Approx(-kPi / 4).epsilon(1e-12));
    CHECK(std::abs(half) == Approx(std::exp(-0.2)).epsilon(1e-12));
    CHECK(figure_of("preset=number&text=10000").claim == "Turned by 360° in all, 100 % of it left");
}

TEST_CASE("the trapezoid by hand is the recurrence in complex numbers", "[viz][sandbox]") {
    const ViewState state = state_of(
        "text=10110&turn1=70&turn0=-25&decay1=0.3&decay0=0.1&dt1=0.7&dt0=1.3&in1=1.5&in0=-0.5&key1=20&key0=130&"
        "lambda=0.4&lambda0=0.8");
    const HandPair pair = hand_pair_of(state);
    std::complex<double> u = 0, before = 0;
    for (const int bit : bits_of(state)) {
        const BitStep& at = pair.at[static_cast<std::size_t>(bit)];
        const std::complex<double> alpha = std::exp(at.dt * std::complex<double>(-at.decay, -at.turn * kPi / 180)),
                                   input = std::polar(1.0, at.key * kPi / 180) * at.in;
        u = alpha * (u + (1 - at.lambda) * at.dt * before) + at.lambda * at.dt * input;
        before = input;
    }
    CHECK(std::abs(last(state) - u) < 1e-12);
}

TEST_CASE("two mirrors make a turn by twice the angle between them", "[viz][sandbox]") {
    for (const double apart : {15.0, 45.0, 90.0, 130.0}) {
        const ViewState two =
            state_of("preset=two-flips&text=11&in1=0.7&key1=25&apart1=" + std::to_string(static_cast<int>(apart)));
        // The same by two steps of the flip kind: a 0 flips along the first key, a 1 along the second.
        const std::string second = std::to_string(static_cast<int>(25 + apart));
        const ViewState each = state_of("preset=flip&text=0101&beta0=2&in0=0.7&key0=25&in1=0.7&key1=" + second);
        CHECK(std::abs(last(two) - last(each)) < 1e-12);
        const trace::StepPieces step = steps_of(hand_pair_of(two), {1}).steps[0];
        CHECK(step.turn == Approx(2 * apart * kPi / 180).epsilon(1e-12));
        // The mirrors cross in the hinge.
        const auto panel = panel_of(sandbox_figure(make_sandbox(two)), "dial");
        const auto& hinge = *step.fixed_point;
        for (const double angle : {25.0, 25 + apart})
            CHECK(hinge.x * std::cos(angle * kPi / 180) + hinge.y * std::sin(angle * kPi / 180) ==
                  Approx(0.7).epsilon(1e-9));
        const auto& by_flips = mark_of<plot::Line>(panel, "by-flips").points;
        const std::complex<double> from(by_flips[0].x - hinge.x, by_flips[0].y - hinge.y),
            between(by_flips[1].x - hinge.x, by_flips[1].y - hinge.y),
            to(by_flips[2].x - hinge.x, by_flips[2].y - hinge.y);
        CHECK(std::abs(between) == Approx(std::abs(from)).epsilon(1e-9));
        CHECK(std::abs(to - std::polar(1.0, step.turn) * from) < 1e-9);
    }
}

TEST_CASE("presets count what they say", "[viz][sandbox]") {
    CHECK(figure_of("preset=half-turn").claim == "This pair tells odd from even, up to 64 ones at least");
    CHECK(figure_of("preset=flip").claim == "This pair tells odd from even, up to 64 ones at least");
    CHECK(figure_of("preset=two-flips").claim == "This pair tells odd from even, up to 64 ones at least");
    CHECK(figure_of("preset=quarter-turn").claim == "This pair counts ones mod 4, up to 64 ones at least");
    CHECK(figure_of("preset=slide").claim == "This pair cannot tell odd from even: two 1s are taken for odd");
    CHECK_THAT(figure_of("preset=half-turn&turn1=170").claim, ContainsSubstring("cannot tell"));
    for (std::size_t i = 0; i < preset_names().size(); ++i) {
        INFO(preset_names()[i]);
        const plot::Figure figure = figure_of(std::string("preset=") + preset_names()[i]);
        CHECK(sound(figure));
        CHECK_NOTHROW(plot::check(figure));
    }
}

TEST_CASE("no pair without an angle tells odd from even unless it flips", "[viz][sandbox]") {
    std::uint32_t seed = 1;
    const auto pick = [&](double low, double high) {
        seed = seed * 1664525u + 1013904223u;
        return low + (high - low) * static_cast<double>(seed >> 8) / double(1 << 24);
    };
    ViewState state = state_of("challenge=1");
    for (int tried = 0; tried < 200; ++tried) {
        for (const char* name : {"turn1", "decay1", "in1", "key1", "dt1", "lambda", "read"}) {
            const Control& control = *find_control(name);
            state = with_value(state, name, pick(control.low, control.high));
        }
        const auto wrong = first_wrong_ones(hand_pair_of(state), 2, 3);
        REQUIRE(wrong.has_value());
        CHECK(*wrong <= 2);
    }
    CHECK_THAT(figure_of("challenge=1").claim, ContainsSubstring("With θ = 0 this pair cannot tell"));
    CHECK(figure_of("challenge=1&preset=flip").claim ==
          "With θ = 0 this pair tells odd from even, up to 64 ones at least");
    const plot::Panel ones = panel_of(figure_of("challenge=1"), "ones");
    CHECK(mark_of<plot::Text>(ones, "cell.2.1").text == "1 ✓");
    CHECK(mark_of<plot::Text>(ones, "cell.2.2").text == "**1 ✗**");
}

TEST_CASE("ten neighbours stand behind the number under change", "[viz][sandbox]") {
    const ViewState held = by_hand(state_of("text=11"), "turn1", 120);
    CHECK(link_of(held) == "whorl:1?view=sandbox&text=11&fan=turn1&turn1=120");
    const SandboxData data = make_sandbox(held);
    REQUIRE(data.ghosts.size() == kGhosts);
    CHECK(data.ghosts.front().label == "θ = 95°");
    CHECK(data.ghosts.back().label == "θ = 145°");
    const plot::Panel dial = panel_of(sandbox_figure(data), "dial");
    for (std::size_t i = 0; i < kGhosts; ++i) {
        const double value = 120 + (i < 5 ? -25 + 5.0 * double(i) : 5.0 * (double(i) - 4));
        const std::complex<double> tip = -2.0 - 2.0 * std::polar(1.0, -value * kPi / 180);
        CHECK(apart(mark_of<plot::Line>(dial, "ghost." + std::to_string(i)).points.back(), {tip.real(), tip.imag()}) <
              1e-12);
    }
    // At a limit they are all on one side; a number that the kind does not use has none.
    CHECK(neighbours("decay1", 0).front() > 0);
    CHECK(neighbours("decay1", 0).size() == kGhosts);
    CHECK(make_sandbox(state_of("fan=beta1")).ghosts.empty());
    CHECK(make_sandbox(with_value(held, "preset", 0)).ghosts.empty());
    CHECK(make_sandbox(with_value(held, "challenge", 1)).ghosts.empty());
}

TEST_CASE("a dragged angle puts the tip under the pointer", "[viz][sandbox]") {
    const ViewState number = state_of("preset=number&text=10");
    for (const int angle : {-170, -90, 1, 45, 137, 180}) {
        const plot::Point to{std::cos(-angle * kPi / 180), std::sin(-angle * kPi / 180)};
        const ViewState set = dragged(number, "turn0", to);
        CHECK(std::abs(std::remainder(value_of(set, "turn0") - angle, 360)) < 1e-9);
        CHECK(apart(handle_in(set, "turn0"), to) < 1e-9);
        CHECK(written(*find_control("fan"), value_of(set, "fan")) == "turn0");
    }
    // Between two whole degrees it is half of one off at most.
    const plot::Point between{std::cos(0.3333), std::sin(0.3333)};
    CHECK(apart(handle_in(dragged(number, "turn0", between), "turn0"), between) <= 0.5 * kPi / 180);
    // A later step: the angle turns all steps of its bit.
    const ViewState later = state_of("text=0110110");
    const ViewState goal = with_value(later, "turn1", 163);
    const ViewState found = dragged(with_value(later, "turn1", 150), "turn1", handle_in(goal, "turn1"));
    CHECK(value_of(found, "turn1") == 163);
}

TEST_CASE("every handle follows the pointer", "[viz][sandbox]") {
    struct Case {
        const char *link, *fields, *number;
        double goal;
    };
    const Case cases[] = {{"text=11&decay1=0.5&turn1=100", "decay1", "decay1", 1.25},
                          {"text=11&turn1=100", "dt1", "dt1", 0.6},
                          {"text=11&turn1=100&lambda=0.7", "lambda", "lambda", 0.35},
                          {"preset=slide&text=11", "decay1", "decay1", 2.4},
                          {"preset=flip&text=11", "beta1", "beta1", 1.3},
                          {"preset=two-flips&text=11", "apart1", "apart1", 37},
                          {"preset=half-turn", "read", "read", -77}};
    for (const Case& one : cases) {
        INFO(one.link << " " << one.fields);
        const ViewState state = state_of(one.link), goal = with_value(state, one.number, one.goal);
        const ViewState found = dragged(state, one.fields, handle_in(goal, one.fields));
        CHECK(value_of(found, one.number) == Approx(one.goal).epsilon(1e-9));
    }
    // The input has two numbers, and keeps its sign.
    const ViewState input = dragged(state_of("text=11"), "in1+key1", {0.6, 0.8});
    CHECK(value_of(input, "in1") == -1);
    CHECK(apart(handle_in(input, "in1+key1"), {0.6, 0.8}) < 0.01);
    CHECK(dragged(state_of("text=11"), "hinge", {1, 1}) == state_of("text=11"));
}

TEST_CASE("a trained pair is read off its model", "[viz][sandbox]") {
    const PresetPair& trained = preset_pair(Preset::trained);
    CHECK_THAT(trained.about, ContainsSubstring("parity-mamba3-smoothed"));
    const BitStep &zero = trained.pair.at[0], &one = trained.pair.at[1];
    CHECK(std::abs(std::remainder(zero.dt * zero.turn, 360)) < 5);
    CHECK(std::abs(std::abs(std::remainder(one.dt * one.turn, 360)) - 180) < 5);
    CHECK(one.in == Approx(2));
    CHECK(make_sandbox(state_of("preset=trained")).about == trained.about);
    CHECK_THAT(make_sandbox(state_of("preset=trained&read=3")).about, ContainsSubstring("began as"));
}

TEST_CASE("the sandbox refuses texts that are not bits", "[viz][sandbox]") {
    CHECK_THROWS_AS(bits_of(state_of("text=012")), UserError);
    CHECK_THAT(message_of<UserError>([] { state_of("preset=halfturn"); }),
               ContainsSubstring("did you mean 'half-turn'"));
    CHECK_THAT(message_of<UserError>([] { state_of("turn1=1000"); }), ContainsSubstring("-360 to 360"));
}
