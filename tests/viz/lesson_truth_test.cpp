// What lessons state is what their figures measure: every answer that is called right, and every number in a reason.
#include <algorithm>
#include <cmath>
#include <complex>
#include <map>

#include "core/backend/factories.hpp"
#include "core/numerics/linear_ode.hpp"
#include "tests/support/catch.hpp"
#include "viz/desk/desk.hpp"
#include "viz/desk/live_plan.hpp"
#include "viz/lessons/answer.hpp"
#include "viz/lessons/lesson.hpp"
#include "viz/lessons/live_number.hpp"
#include "viz/lessons/stage.hpp"
#include "viz/panels/degrees.hpp"
#include "viz/panels/turning.hpp"
#include "viz/plot/text_runs.hpp"
#include "viz/state/controls.hpp"

using namespace whorl;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A step of a lesson that ships, its figures and its numbers.
class Taught {
public:
    Taught(const std::string& name, std::int64_t step)
        : lesson_(load_lesson(name)), first_(state_of_step(lesson_, name, step - 1)) {}

    const LessonStep& step() const { return lesson_.steps.at(static_cast<std::size_t>(first_.step - 1)); }
    const ViewState& first() const { return first_; }
    ViewState done() const { return state_when_done(step(), first_); }
    ViewState with(const std::string& name, double value) const { return with_value(first_, name, value); }
    ViewState reading(const std::string& text) const {
        ViewState state = first_;
        state.text = text;
        state.cursor = -1;
        return state;
    }

    double number(const std::string& name, const ViewState& state) {
        const LiveNumber found = live_number(name, scene_of(desk_, state));
        INFO(name);
        REQUIRE(found.value.has_value());
        return *found.value;
    }
    std::string claim(const ViewState& state) { return plot::plain_text(desk_.figure(state).claim); }
    std::string words(const ViewState& state) {
        std::string all;
        for (const std::string& sentence : desk_.figure(state).words) all += sentence + "\n";
        return all;
    }
    std::string subtitle(const ViewState& state, const std::string& panel) {
        for (const plot::Panel& one : desk_.figure(state).panels)
            if (one.id == panel) return one.subtitle;
        return "no panel " + panel;
    }
    Desk& desk() { return desk_; }

private:
    Lesson lesson_;
    ViewState first_;
    Desk desk_;
};

double predicted(const Taught& taught) {
    return taught.step().predict.value().right.value();
}
double checked(const Taught& taught) {
    return taught.step().check.value().right.value();
}

}  // namespace

TEST_CASE("a number that remembers: it fades, alternates and turns", "[viz][lessons]") {
    Taught fades("a-number-that-remembers", 1);
    CHECK(fades.number("readout", fades.first()) == Approx(1));
    CHECK(fades.number("readout", fades.done()) == Approx(predicted(fades)).margin(1e-3));
    Taught alternates("a-number-that-remembers", 2);
    CHECK(alternates.number("readout", alternates.reading("01")) == Approx(2));  // C is -1: h is -2
    CHECK(alternates.number("readout", alternates.reading("011")) == Approx(0).margin(1e-9));
    CHECK_THAT(alternates.claim(alternates.first()), ContainsSubstring("tells odd from even"));
    Taught turns("a-number-that-remembers", 3);
    CHECK(turns.number("readout", turns.done()) == Approx(-1));
    Taught names("a-number-that-remembers", 4);
    CHECK(names.number("readout", names.with("turn0", predicted(names))) == Approx(-1));
    CHECK(names.number("readout", names.first()) == Approx(1));
}

TEST_CASE("a number that turns: halves, quarters and decay", "[viz][lessons]") {
    Taught half("a-number-that-turns", 1);
    CHECK_THAT(half.claim(half.first()), ContainsSubstring("cannot tell odd from even"));
    CHECK_THAT(half.claim(half.with("turn1", predicted(half))), ContainsSubstring("tells odd from even"));
    Taught quarter("a-number-that-turns", 2);
    const auto ones = static_cast<std::size_t>(predicted(quarter));
    for (std::size_t n = 1; n < ones; ++n) CHECK(quarter.number("said", quarter.reading(std::string(n, '1'))) != 0);
    CHECK(quarter.number("said", quarter.reading(std::string(ones, '1'))) == 0);
    CHECK(quarter.number("said", quarter.done()) == quarter.number("said", quarter.first()));
    Taught decays("a-number-that-turns", 3);
    CHECK_THAT(decays.claim(decays.first()), ContainsSubstring("tells odd from even"));
    CHECK_THAT(decays.claim(decays.with("decay1", 0.5)), ContainsSubstring("cannot tell odd from even"));
    Taught five("a-number-that-turns", 4);
    const double after = five.number("readout", five.reading("11111"));
    CHECK(after == Approx(five.number("readout", five.reading("1"))));
    CHECK(after != Approx(five.number("readout", five.first())));
}

TEST_CASE("turn, slide, flip: factors of -1 and one of 0.62", "[viz][lessons]") {
    Taught asked("turn-slide-flip", 2);
    const std::string words = asked.words(asked.done());
    for (const char* part : {"180.00°", "62.00 %", "-1.000"}) CHECK_THAT(words, ContainsSubstring(part));
    Taught typed("turn-slide-flip", 3);
    const ReadText read = typed.desk().text(typed.done());
    CHECK(read.tokens.size() == 5);
    Taught still("turn-slide-flip", 4);
    // None of the numbers that the step allows, far and wide.
    for (const double decay : {0.0, 0.1, 0.7, 3.0})
        for (const double in : {-4.0, 0.5, 3.0})
            for (const double lambda : {0.0, 0.5, 1.0}) {
                ViewState state = with_value(still.done(), "decay1", decay);
                state = with_value(with_value(state, "in1", in), "lambda", lambda);
                CHECK_THAT(still.claim(state), ContainsSubstring("cannot tell odd from even"));
            }
}

TEST_CASE("counting to five: places on a clock", "[viz][lessons]") {
    Taught one("counting-to-five", 1);
    CHECK(one.number("angle.of_one", one.first()) == Approx(predicted(one)).margin(0.05));
    Taught five("counting-to-five", 2);
    CHECK(five.number("right", five.done()) == 0);
    CHECK(five.number("said", five.done()) == 0);
    Taught three("counting-to-five", 3);
    const double turned = three.number("angle.of_three", three.done());  // without its sign
    CHECK(std::abs(std::remainder(predicted(three), 360)) == Approx(turned).margin(0.05));
    CHECK(std::abs(std::remainder(predicted(three) - 3 * 72, 360)) < 0.05);
    CHECK(is_right(*three.step().predict, "-144") == true);
    CHECK(three.number("angle.of_two", three.first()) == Approx(144).margin(0.05));
    Taught none("counting-to-five", 4);
    for (const char* digit : {"1", "2", "3", "4"})
        CHECK_THAT(none.claim(none.reading(std::string("1") + digit)),
                   ContainsSubstring("A " + std::string(digit) + " turns"));
    CHECK_THAT(none.claim(none.reading("10")), ContainsSubstring("A 1 turns"));  // the dial stays as it was
}

TEST_CASE("two frames: equal shadows, and tokens that turn", "[viz][lessons]") {
    Taught equal("two-frames", 1);
    for (std::int64_t cursor = 1; cursor <= 16; ++cursor) {
        ViewState state = equal.first();
        state.cursor = cursor;
        CHECK(equal.subtitle(state, "still") == equal.subtitle(state, "turning"));
    }
    ViewState ledger;
    ledger.view = "ledger";
    ledger.models = {"parity-mamba3-smoothed"};
    CHECK(std::abs(equal.number("angle.of_zero", ledger)) < 1);
    CHECK(equal.number("angle.of_one", ledger) == Approx(179).margin(0.5));
    CHECK_THAT(equal.words(ledger), ContainsSubstring("pair 3"));  // the one that the step shows
    CHECK_THAT(equal.words(ledger), ContainsSubstring("head 3"));
}

TEST_CASE("half a turn, almost: where it breaks and by whom", "[viz][lessons]") {
    Taught first("half-a-turn", 1);
    CHECK(first.number("angle.of_one", first.first()) == Approx(181.4).margin(0.05));
    Taught breaks("half-a-turn", 2);
    CHECK_FALSE(live_number("wrong", scene_of(breaks.desk(), breaks.first())).value.has_value());
    CHECK(breaks.number("wrong", breaks.done()) == predicted(breaks));
    CHECK_THAT(breaks.claim(breaks.done()), ContainsSubstring("Pair 7 leaves ±90° at bit 71"));
    Taught split("half-a-turn", 3);
    const std::string words = split.words(split.first());
    CHECK_THAT(words, ContainsSubstring("turns it by 1.17° and brings +106.2°"));
    CHECK_THAT(words, ContainsSubstring("turns it by 181.40° and brings +96.7°"));
    CHECK(split.number("drift", split.first()) == Approx(203).margin(0.5));
    CHECK_THAT(split.words(split.done()), ContainsSubstring("a “1” turns it by 180.00°"));
    CHECK(split.number("wrong", split.done()) > predicted(breaks));
    const std::vector<std::string> tokens = split.desk().text(split.first()).tokens;
    CHECK(tokens.size() == 160);
    CHECK(std::count(tokens.begin(), tokens.end(), "0") == 91);
    Taught counted("half-a-turn", 4);
    CHECK_THAT(counted.claim(counted.first()), ContainsSubstring("No mistake in 160 bits"));
    CHECK(checked(counted) * 2 == 90);
}

TEST_CASE("how wrong is a step: slopes as they are measured", "[viz][lessons]") {
    CHECK(predicted(Taught("how-wrong-is-a-step", 1)) == 1 + 0.5 * -1.0);
    CHECK(std::exp(-0.5) == Approx(0.607).margin(5e-4));
    CHECK(std::exp(-0.5) - 0.5 == Approx(0.107).margin(5e-4));
    const std::string trapezoid = "slope.exponential-trapezoid";
    Taught lambda("how-wrong-is-a-step", 2);
    CHECK(lambda.number(trapezoid, lambda.first()) == Approx(2).margin(0.02));
    CHECK(lambda.number(trapezoid, lambda.done()) == Approx(1).margin(0.02));
    Taught moves("how-wrong-is-a-step", 3);
    CHECK(moves.number(trapezoid, moves.with("moves", 0.5)) == Approx(1).margin(0.02));
    ViewState middle = with_value(moves.with("moves", 0.5), "sampled", 2);
    CHECK(moves.number(trapezoid, middle) == Approx(2).margin(0.02));
    Taught held("how-wrong-is-a-step", 4);
    for (const std::string& name : live_names())
        if (name.rfind("slope.", 0) == 0) CHECK(held.number(name, held.done()) == Approx(1).margin(0.02));
}

TEST_CASE("who turns by half: angles of the rules", "[viz][lessons]") {
    Taught bilinear("who-turns-by-half", 1);
    const double measured = bilinear.number("turned.bilinear", bilinear.first());
    CHECK(measured == Approx(2 * std::atan(kPi / 2) * kDegrees));
    CHECK(measured == Approx(predicted(bilinear)).margin(0.5));
    CHECK(bilinear.number("turned.forward-euler", bilinear.first()) == Approx(72).margin(0.5));
    CHECK(std::abs(std::complex<double>(1, kPi)) == Approx(3.30).margin(5e-3));
    for (const double far : {10.0, 1e3, 1e6})
        CHECK(turned_angle(numerics::DiscretizationRule::bilinear, far) * kDegrees < 180);
    for (const char* rule : {"turned.zero-order-hold", "turned.exponential-euler", "turned.exponential-trapezoid"})
        CHECK(bilinear.number(rule, bilinear.first()) == Approx(180));
}

TEST_CASE("two taps: what a 0 and a 1 weigh", "[viz][lessons]") {
    Taught weights("two-taps", 2);
    const std::string words = weights.words(weights.first());
    CHECK_THAT(words, ContainsSubstring("A 0 weighs 0.00664 by its own step"));
    CHECK_THAT(words, ContainsSubstring("A 1 weighs 0.995 by its own step"));
    CHECK_THAT(weights.claim(weights.first()), ContainsSubstring("A 0 gets most weight from the next step"));
    Taught beta("two-taps", 3);
    CHECK_THAT(beta.claim(beta.first()), ContainsSubstring("No mistake in 160 bits"));
    CHECK_THAT(beta.claim(beta.done()), ContainsSubstring("No mistake in 160 bits"));
    Taught bias("two-taps", 4);
    CHECK_THAT(bias.words(bias.done()), ContainsSubstring("9 of 160 answers are wrong"));
    for (const char* angle : {"angle.of_one", "angle.of_zero"})
        CHECK(bias.number(angle, bias.done()) == Approx(bias.number(angle, bias.first())));
}

TEST_CASE("watch it learn: the loss is flat before the answers are right", "[viz][lessons]") {
    LivePlan plan = live_plan(Taught("watch-it-learn", 1).first());
    const RunSetup setup = set_up(load_recipe(plan.recipe, plan.set));
    const auto processor = make_cpu_backend(1);
    Watching watching;
    watching.rows = 60;  // one each 25 steps
    watching.examples = 64;
    WatchedTraining training(setup, *processor, watching);
    while (training.steps_done() < 200) training.step();
    const TrainingData data = training.data();
    std::map<std::int64_t, double> loss, right;
    for (std::size_t row = 0; row < data.loss_steps.size(); ++row) loss[data.loss_steps[row]] = data.loss[0][row];
    for (std::size_t row = 0; row < data.accuracy_steps.size(); ++row)
        right[data.accuracy_steps[row]] = data.accuracy[0][row];
    REQUIRE(data.sizes.at(0) == 40);
    const double fall = loss.at(25) - loss.at(200);
    CHECK(loss.at(100) - loss.at(200) < 0.05 * fall);
    CHECK(right.at(200) < 0.5);
}

TEST_CASE("what is still held: faded and overwritten", "[viz][lessons]") {
    Taught lost("what-is-still-held", 1);
    CHECK(lost.claim(lost.first()) == "Gated DeltaNet keeps it to the end, Mamba-3 keeps it 38 tokens");
    Taught faded("what-is-still-held", 2);
    CHECK(faded.number("distance.1", faded.first()) < 0.1);
    CHECK(faded.number("distance.0", faded.first()) > 0.5);
    CHECK(faded.number("probability.0", faded.first()) > 0.99);
    Taught overwritten("what-is-still-held", 3);
    CHECK(overwritten.number("probability.1", overwritten.first()) < 0.01);
    CHECK(overwritten.number("distance.1", overwritten.first()) == Approx(0.31).margin(0.005));
    CHECK_THAT(overwritten.claim(overwritten.first()), ContainsSubstring("Mamba-3 does not have it"));
    // Some are kept.
    CHECK_THAT(overwritten.claim(overwritten.with("depth", 0.78)), ContainsSubstring("Mamba-3 keeps it to the end"));
}
