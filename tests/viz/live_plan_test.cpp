// The time machine's controls as a recipe's settings.
#include "viz/desk/live_plan.hpp"

#include "app/run/setup.hpp"
#include "tests/support/catch.hpp"
#include "viz/state/controls.hpp"

using namespace whorl;
using namespace whorl::viz;

namespace {

RunSetup setup_of(const ViewState& state) {
    const LivePlan plan = live_plan(state);
    return set_up(load_recipe(plan.recipe, plan.set));
}

}  // namespace

TEST_CASE("controls become the recipe's settings", "[viz][live]") {
    ViewState state;
    CHECK(setup_of(state).config.replicas.count() == 1);
    state = with_value(state, "rate", 0.01);
    state = with_value(state, "seed", 7);
    state = with_value(state, "seeds", 3);
    state = with_value(state, "smoothing", 0);
    state = with_value(state, "dt_min", 3);  // above the other: they change places
    const RunSetup setup = setup_of(state);
    const auto replicas = replicas_of(setup.config.replicas);
    REQUIRE(replicas.size() == 3);
    CHECK(replicas[0].learning_rate == 0.01);
    CHECK(replicas[0].init_seed == 7);
    CHECK(replicas[2].init_seed == 9);
    CHECK(setup.config.training.loss.label_smoothing == 0);
    CHECK(setup.config.replicas.dt_ranges.at(0).min == 2);
    CHECK(setup.config.replicas.dt_ranges.at(0).max == 3);
    CHECK(plan_words(state) == "rate 0.01, Δ 2 to 3, seed 7, smoothed 0");
    CHECK(setup_of(with_value(ViewState{}, "recipe", 1)).config.name == "arithmetic-quick");
}

TEST_CASE("accuracies at a step are those of the last row before it", "[viz][live]") {
    TrainingData data;
    data.sizes = {40, 80};
    data.accuracy_steps = {10, 20};
    data.accuracy = {{0.5, 1}, {0.25, 0.75}};
    CHECK(accuracy_lines(data, 9).empty());
    CHECK(accuracy_lines(data, 19) == std::vector<std::string>{"size 40: 50 % right", "size 80: 25 % right"});
    CHECK(accuracy_lines(data, 20) == std::vector<std::string>{"size 40: 100 % right", "size 80: 75 % right"});
    CHECK(result_words(data) == "100 % at 40, 75 % at 80");
}
