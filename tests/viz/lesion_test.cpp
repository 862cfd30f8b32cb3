// Lesions of trained weights: what is silenced is gone, and all else is as it was.
#include "viz/data/lesion.hpp"

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "viz/desk/desk.hpp"
#include "viz/state/controls.hpp"
#include "viz/views/head_steps.hpp"

using namespace whorl;
using namespace whorl::viz;

namespace {

HeadSteps steps_with(Lesion lesion) {
    Desk desk;
    const Exhibit exhibit = with_lesion(desk.shown("parity-mamba3-smoothed", {}).exhibit, lesion);
    return head_steps(exhibit, {1, 2, 2, 1}, {0, 3, {}}, "taps");
}

}  // namespace

TEST_CASE("a silenced part is gone", "[viz][lesion]") {
    const auto whole = taps_of(steps_with(Lesion::none)), cut = taps_of(steps_with(Lesion::previous));
    bool any = false;
    for (std::size_t t = 0; t < cut.weights.next.size(); ++t) {
        any = any || whole.weights.next.at(t) > 1e-3;
        CHECK(cut.weights.next[t] == 0);
        CHECK(cut.weights.own[t] > whole.weights.own[t]);  // λ < 1 before
    }
    CHECK(any);
    Desk desk;
    ViewState state;
    state.view = "dials";
    state.models = {"parity-mamba3-smoothed"};
    const std::string turning = desk.figure(state).claim;
    CHECK(desk.figure(with_value(state, "silenced", 3)).claim != turning);
    CHECK(desk.figure(with_value(state, "silenced", 2)).claim != "");
    CHECK(desk.figure(state).claim == turning);
}

TEST_CASE("models without such parts are named", "[viz][lesion]") {
    Desk desk;
    CHECK_THROWS_AS(with_lesion(desk.shown("parity-gdn", {}).exhibit, Lesion::turn), UserError);
    CHECK_NOTHROW(with_lesion(desk.shown("parity-gdn", {}).exhibit, Lesion::none));
}
