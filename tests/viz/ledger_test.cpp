// The angle ledger books what was put into it.
#include "viz/panels/ledger.hpp"

#include <cmath>

#include "core/base/error.hpp"
#include "core/model/constructed/constructed.hpp"
#include "core/model/parameter_layout.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/traced_model.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/views/ledger_view.hpp"

using namespace whorl;
using namespace whorl::test;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double kStep = 1.25;  // Δ of a digit that turns, in the construction

/// The constructed model whose digit `token` turns by so many degrees more than it should.
Exhibit turning_too_far(std::int64_t modulus, std::int32_t token, double degrees) {
    ConstructedModel model = cyclic_mamba3(modulus);
    const ParameterLayout layout(model.config);
    const ParameterInfo& p =
        layout.parameters()[static_cast<std::size_t>(layout.index("backbone.layers.0.mixer.in_proj.weight"))];
    const std::int64_t columns = model.config.d_model, rows = p.count / columns;
    // The last row is the angle: θ = π tanh(a).
    double& weight = model.slice[static_cast<std::size_t>(p.offset + (rows - 1) * columns + token)];
    const double gain = 1 / std::sqrt(1.0 / static_cast<double>(columns) + model.config.norm_epsilon);
    const double share = std::tanh(weight * gain) - degrees / 180 / kStep;  // the state turns by -Δθ
    weight = std::atanh(share) / gain;
    const Task task = find_task(modulus == 2 ? "parity" : "modular_sum");
    return {"Mamba-3", "hand-set weights", model.config, model.slice, task};
}

std::vector<std::int32_t> ones(std::size_t count) {
    return std::vector<std::int32_t>(count, 2);
}

}  // namespace

TEST_CASE("a constructed model owes nothing and makes no mistake", "[viz][ledger]") {
    const Exhibit exact = turning_too_far(2, 2, 0);
    std::vector<std::int32_t> tokens;
    for (int t = 0; t < 160; ++t) tokens.push_back(1 + (t * t / 3) % 2);
    const LedgerData data = make_ledger({exact}, tokens, 40);
    const LedgerPair& pair = data.models[0].pairs[0];
    for (const double drift : pair.drift) CHECK(std::abs(drift) < 1e-9);
    CHECK(pair.share == Approx(1).epsilon(1e-6));
    CHECK(first_wrong(data.models[0]) == 0);
    const plot::Figure figure = ledger_figure(data);
    CHECK(sound(figure));
    CHECK(figure.claim == "No mistake in 160 bits: pair 0 stays within ±90°");
}

TEST_CASE("two degrees too far at each one are ninety after forty-five", "[viz][ledger]") {
    const LedgerData data = make_ledger({turning_too_far(2, 2, 2)}, ones(80), 0);
    const LedgerModel& model = data.models[0];
    const LedgerPair& pair = model.pairs[0];
    for (std::size_t t = 0; t < 80; ++t) CHECK(std::abs(pair.drift[t]) == Approx(2.0 * (double(t) + 1)).epsilon(1e-6));
    CHECK(std::abs(pair.turn_of_token[0]) == Approx(182).epsilon(1e-6));
    CHECK(first_beyond(pair, 90) >= 45);
    CHECK(first_beyond(pair, 90) <= 46);
    // The answer flips where the state points to the other side, but for the hinge, which the wrong turn shifts a bit.
    const auto wrong = static_cast<double>(first_wrong(model));
    CHECK(std::abs(wrong - 45) <= 3);
    CHECK_THAT(ledger_figure(data).claim, ContainsSubstring("leaves ±90° at bit 4"));
}

TEST_CASE("the drift is split by the token that brings it", "[viz][ledger]") {
    // In sums mod 5 the digit 2 (token 3) is off by one degree; the others are exact.
    std::vector<std::int32_t> tokens;
    for (int t = 0; t < 60; ++t) tokens.push_back(1 + (t * 2 + t / 7) % 5);
    const auto twos = static_cast<double>(std::count(tokens.begin(), tokens.end(), 3));
    const LedgerData data = make_ledger({turning_too_far(5, 3, 1)}, tokens, 0);
    CHECK(data.modulus == 5);
    const LedgerModel& model = data.models[0];
    REQUIRE(model.symbols.size() == 5);
    double sum = 0;
    for (std::size_t i = 0; i < 5; ++i) {
        const double brought = model.pairs[0].by_token[i];
        CHECK(std::abs(brought) == Approx(model.symbols[i] == "2" ? twos : 0).margin(1e-6));
        sum += brought;
    }
    CHECK(sum == Approx(model.pairs[0].drift.back()).margin(1e-9));
    CHECK(sound(ledger_figure(data)));
}

TEST_CASE("several models are held beside each other", "[viz][ledger]") {
    const plot::Figure figure =
        ledger_figure(make_ledger({turning_too_far(2, 2, 0), turning_too_far(2, 2, 3)}, ones(64), 40));
    CHECK(sound(figure));
    CHECK(has_mark<plot::Line>(panel_of(figure, "drift"), "model.0"));
    CHECK(has_mark<plot::Line>(panel_of(figure, "margin"), "margin.1"));
    CHECK(has_mark<plot::Points>(panel_of(figure, "margin"), "wrong.1"));
    CHECK_FALSE(has_mark<plot::Points>(panel_of(figure, "margin"), "wrong.0"));
    CHECK(figure.words.size() == 2);
}

TEST_CASE("models whose tokens owe other angles have no ledger together", "[viz][ledger]") {
    const ConstructedModel parity = constructed_model("parity-mamba3"), sum = constructed_model("modular-sum-mamba3");
    const Exhibit two{"Mamba-3", "", parity.config, parity.slice, find_task("parity")},
        five{"another", "", sum.config, sum.slice, find_task("modular_sum")};
    CHECK_THAT(message_of<UserError>([&] {
                   make_ledger({two, five}, ones(8), 0);
               }),
               ContainsSubstring("Mamba-3 answers parity and another modular_sum"));
    Exhibit mistaken = two;
    mistaken.task = five.task;
    CHECK_THAT(message_of<UserError>([&] {
                   make_ledger({five, mistaken}, std::vector<std::int32_t>(40, 4), 0);
               }),
               ContainsSubstring("has the tokens 0..2; this text needs token 4"));
}

TEST_CASE("a ledger of what owes no angle says why and what there is", "[viz][ledger]") {
    const auto refuse = [](Exhibit exhibit) {
        return message_of<UserError>([&] { make_ledger({exhibit}, ones(8), 0); });
    };
    Exhibit arithmetic = turning_too_far(2, 2, 0);
    arithmetic.task = find_task("modular_arithmetic");
    CHECK_THAT(refuse(arithmetic), ContainsSubstring("modular_arithmetic is no sum of its tokens"));
    CHECK_THAT(refuse(arithmetic), ContainsSubstring("dials"));
    const ConstructedModel flips = constructed_model("parity-gdn");
    CHECK_THAT(refuse({"Gated DeltaNet", "", flips.config, flips.slice, find_task("parity")}),
               ContainsSubstring("has no state that turns by its data"));
    const ConstructedModel slides = sliding_mamba2();
    CHECK_THAT(refuse({"Mamba-2", "", slides.config, slides.slice, find_task("parity")}),
               ContainsSubstring("no angles to book"));
}

TEST_CASE("an angle added by hand is a model that turns so much further", "[viz][ledger]") {
    // Two routes: weights that turn a one too far, and the exact model turned by hand at each.
    const LedgerData built = make_ledger({turning_too_far(2, 2, 2)}, ones(80), 0);
    const double more = built.models[0].pairs[0].drift[0];
    CHECK(std::abs(more) == Approx(2).epsilon(1e-6));
    const LedgerData turned = make_ledger({turning_too_far(2, 2, 0)}, ones(80), 0, {}, {{"1", more}});
    const LedgerModel &one = built.models[0], &other = turned.models[0];
    for (std::size_t t = 0; t < 80; ++t) {
        CHECK(other.pairs[0].drift[t] == Approx(one.pairs[0].drift[t]).epsilon(1e-9));
        CHECK(other.margin[t] == Approx(one.margin[t]).epsilon(1e-6));
        CHECK(std::abs(other.pairs[0].as_is[t]) < 1e-9);
    }
    CHECK(first_wrong(other) == first_wrong(one));
    CHECK(turned.changed == std::string("each 1 turned 2° ") + (more > 0 ? "further" : "less"));
    const plot::Figure figure = ledger_figure(turned);
    CHECK(sound(figure));
    CHECK_THAT(figure.subtitle, ContainsSubstring("turned 2°"));
    CHECK_THAT(message_of<UserError>([&] {
                   make_ledger({turning_too_far(2, 2, 0)}, ones(4), 0, {}, {{"7", 1}});
               }),
               ContainsSubstring("no token '7'"));
}
