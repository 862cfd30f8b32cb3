// The dials' claims, read off their marks.
#include "viz/panels/dials.hpp"

#include <cmath>

#include "core/base/error.hpp"
#include "core/model/constructed/constructed.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/traced_model.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/panels/frames.hpp"
#include "viz/views/dials_view.hpp"

using namespace whorl;
using namespace whorl::test;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double kPi = 3.14159265358979323846;

Exhibit exhibit_of(const ConstructedModel& model) {
    return {title_of(model.config), "hand-set weights", model.config, model.slice, find_task(model.task)};
}

std::vector<Exhibit> three_verbs() {
    return {exhibit_of(constructed_model("parity-mamba3")), exhibit_of(sliding_mamba2()),
            exhibit_of(constructed_model("parity-gdn"))};
}

std::vector<std::int32_t> bits(const std::string& text) {
    std::vector<std::int32_t> tokens;
    for (const char bit : text) tokens.push_back(bit == '1' ? 2 : 1);
    return tokens;
}

double size(plot::Point a, plot::Point b) {
    return std::hypot(a.x - b.x, a.y - b.y);
}

const plot::Text& text_mark(const plot::Panel& panel, const std::string& id) {
    return mark_of<plot::Text>(panel, id);
}

}  // namespace

TEST_CASE("one input, three verbs", "[viz][dials]") {
    const plot::Figure figure = dials_figure(make_dials(three_verbs(), bits("0110")));
    CHECK(sound(figure));
    CHECK(figure.claim == "Mamba-3 turns, Mamba-2 slides, Gated DeltaNet flips");
    CHECK(figure.words.size() == 3);
    CHECK_THAT(figure.words[0], ContainsSubstring("180.00°"));
    CHECK_THAT(figure.words[1], ContainsSubstring("62.00 %"));
    CHECK_THAT(figure.words[2], ContainsSubstring("-1.000"));
}

TEST_CASE("the arm of constructed Mamba-3 keeps the product of its decays and turns by half a turn a one",
          "[viz][dials]") {
    for (const std::string text : {"1", "11", "0110111", "111111111111"}) {
        INFO(text);
        const plot::Figure figure =
            dials_figure(make_dials({exhibit_of(constructed_model("parity-mamba3"))}, bits(text)));
        const plot::Panel& dial = panel_of(figure, "dial");
        const auto& arm = mark_of<plot::Arrow>(dial, "arm");
        const double hinge = std::hypot(arm.from.x, arm.from.y);  // one unit of the construction
        double kept = 1, ones = 0;
        const double alpha = std::exp(-1e-4 * 1.25);
        for (const char bit : text)
            if (bit == '1') kept *= alpha, ++ones;
        CHECK(size(arm.from, arm.to) == Approx(kept * hinge).epsilon(1e-9));
        const double angle = std::atan2(arm.to.y - arm.from.y, arm.to.x - arm.from.x),
                     start = std::atan2(-arm.from.y, -arm.from.x);
        CHECK(std::cos(angle - start - kPi * ones) == Approx(1).epsilon(1e-9));
        CHECK(size(mark_of<plot::Points>(dial, "hinge").points[0], arm.from) == 0);
    }
}

TEST_CASE("a Mamba-2 arm shrinks by its retention, a Gated DeltaNet mirror stands half way", "[viz][dials]") {
    const plot::Figure figure = dials_figure(make_dials(three_verbs(), bits("0110")));
    const plot::Panel& slider = panel_of(figure, "dial.1");
    const auto &before = mark_of<plot::Arrow>(slider, "arm.before"), &after = mark_of<plot::Arrow>(slider, "arm");
    CHECK(size(after.from, after.to) == Approx(0.62 * size(before.from, before.to)).epsilon(1e-9));
    const plot::Panel& flip = panel_of(figure, "dial.2");
    const auto &from = mark_of<plot::Arrow>(flip, "arm.before"), &to = mark_of<plot::Arrow>(flip, "arm");
    CHECK(size(from.from, from.to) == Approx(size(to.from, to.to)).epsilon(1e-6));
    CHECK(to.from.x == Approx((from.to.x + to.to.x) / 2).epsilon(1e-6));
    CHECK(has_mark<plot::Line>(flip, "mirror"));
}

TEST_CASE("the tape shows what each model says", "[viz][dials]") {
    const plot::Figure figure = dials_figure(make_dials(three_verbs(), bits("0110")));
    const plot::Panel& tape = panel_of(figure, "tape");
    const std::string right = "0100";
    for (std::size_t t = 0; t < 4; ++t) {
        const std::string column = "." + std::to_string(t);
        CHECK(text_mark(tape, "cell.0" + column).text == std::string(1, "0110"[t]));
        CHECK(text_mark(tape, "cell.1" + column).text == std::string(1, right[t]));
        CHECK(text_mark(tape, "cell.2" + column).text == std::string(1, right[t]) + " ✓");
        CHECK(text_mark(tape, "cell.4" + column).text == std::string(1, right[t]) + " ✓");
    }
    CHECK(text_mark(tape, "cell.3.2").text == "**1 ✗**");
    CHECK(text_mark(tape, "cell.3.2").style.role == plot::Role::wrong);
}

TEST_CASE("both frames show the same readout", "[viz][dials]") {
    for (const test::Subject& subject : test::preset_subjects()) {
        if (subject.name != "mamba3" && subject.name != "mamba3-std-rope") continue;
        INFO(subject.name);
        const Exhibit exhibit{"Mamba-3", "", subject.config, subject.slice, {}};
        const DialsData data = make_dials({exhibit}, subject.tokens, {0, 0, 1});
        const plot::Figure figure = dials_figure(data);
        const auto length = [&](const char* panel) {
            const auto& shadow = mark_of<plot::Line>(panel_of(figure, panel), "shadow");
            return size(shadow.points[0], shadow.points[1]);
        };
        CHECK(length("still") == Approx(length("turning")).epsilon(1e-12));
        // The shadow times the length of C is what is read.
        const auto& step = data.dials[0].steps.steps[chosen_step(data.dials[0])];
        CHECK(length("still") * std::hypot(step.read.x, step.read.y) ==
              Approx(std::abs(readout_of(data.dials[0]))).epsilon(1e-9));
    }
}

TEST_CASE("dials of what has none say what there is", "[viz][dials]") {
    for (const test::Subject& subject : test::preset_subjects()) {
        const bool attention = std::holds_alternative<AttentionConfig>(subject.config.layers[0]);
        const Exhibit exhibit{subject.name, "", subject.config, subject.slice, {}};
        INFO(subject.name);
        if (attention)
            CHECK_THAT(message_of<UserError>([&] { make_dials({exhibit}, subject.tokens); }),
                       ContainsSubstring("is attention"));
        else
            CHECK(sound(dials_figure(make_dials({exhibit}, subject.tokens))));
    }
    const Exhibit parity = exhibit_of(constructed_model("parity-mamba3"));
    CHECK_THAT(message_of<UserError>([&] {
                   make_dials({parity}, bits("01"), {1, {}, {}});
               }),
               ContainsSubstring("--layer 1: the model has layers 0..0"));
    CHECK_THAT(message_of<UserError>([&] {
                   make_dials({parity}, bits("01"), {{}, 7, {}});
               }),
               ContainsSubstring("--head 7: layer 0 (mamba3) has heads 0..1"));
    CHECK_THAT(message_of<UserError>([&] {
                   make_dials({parity}, bits("011"), {{}, {}, 3});
               }),
               ContainsSubstring("--pair 3: layer 0 (mamba3) has pairs of state channels 0..0"));
}
