// The start screen's right answers are what the models do, whatever has been read.
#include "core/model/constructed/constructed.hpp"
#include "tests/support/catch.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/views/start_view.hpp"

using namespace whorl;
using namespace whorl::test;
using namespace whorl::viz;

namespace {

Exhibit exhibit_of(const ConstructedModel& model) {
    return {title_of(model.config), "hand-set weights", model.config, model.slice, find_task(model.task)};
}

std::vector<Exhibit> three() {
    return {exhibit_of(constructed_model("parity-mamba3")), exhibit_of(sliding_mamba2()),
            exhibit_of(constructed_model("parity-gdn"))};
}

}  // namespace

TEST_CASE("at a one Mamba-3 makes half a turn, Mamba-2 comes closer, Gated DeltaNet changes sides", "[viz][start]") {
    for (int text = 0; text < 64; ++text) {
        std::vector<std::int32_t> tokens;
        for (int bit = 0; bit < 6; ++bit) tokens.push_back(1 + ((text >> bit) & 1));
        const StartData data = make_start(three(), tokens, 2);
        INFO(text);
        for (std::size_t i = 0; i < 3; ++i) {
            const StartDial& dial = data.dials[i];
            CHECK(dial.landings.size() == 3);
            CHECK(dial.landings[dial.right].text == (i == 0 ? "half a turn" : i == 1 ? "a bit closer" : "other side"));
            const auto landed = dial.after.steps.steps.back().u;
            CHECK(length(dial.landings[dial.right].at - landed) < 1e-3 * (1 + length(landed)));
        }
    }
}

TEST_CASE("the question is asked before it is answered", "[viz][start]") {
    const StartData data = make_start(three(), {1, 2, 2, 1}, 2);
    const plot::Figure asked = start_figure(data, {-1, 0, -1}, false), shown = start_figure(data, {1, 0, 1}, true);
    CHECK(sound(asked));
    CHECK(sound(shown));
    CHECK(asked.claim == "What does each do at the next 1?");
    CHECK(mark_of<plot::Points>(panel_of(asked, "dial.1"), "landing.0").style.role == plot::Role::accent);
    CHECK(mark_of<plot::Points>(panel_of(asked, "dial.0"), "landing.0").hollow);
    CHECK_FALSE(has_mark<plot::Points>(panel_of(shown, "dial.0"), "landing.0"));
    CHECK(panel_of(shown, "dial.0").subtitle == "✓ B: half a turn");
    CHECK(panel_of(shown, "dial.1").subtitle == "✗ not A but B: a bit closer");
    // What is on the tape gives nothing away.
    CHECK_FALSE(has_mark<plot::Text>(panel_of(asked, "tape"), "cell.0.4"));
    CHECK(has_mark<plot::Text>(panel_of(shown, "tape"), "cell.0.4"));
}
