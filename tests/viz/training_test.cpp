// The training view: what it says of losses, accuracies and angles, and that looking on changes no bit.
#include "viz/panels/training.hpp"

#include <cmath>

#include "app/run/session.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/model/constructed/constructed.hpp"
#include "core/training/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/views/training_view.hpp"
#include "viz/views/turn_history.hpp"

using namespace whorl;
using namespace whorl::test;
using Catch::Matchers::ContainsSubstring;

namespace {

viz::TrainingData learning() {
    viz::TrainingData data;
    data.name = "Mamba-3", data.chosen_name = "seed 1", data.chosen = 1;
    data.loss_steps = {100, 200, 300, 400};
    data.loss = {{1, 0.9, 0.8, 0.7}, {1, 0.02, 0.01, 0.0}};
    data.accuracy_steps = {100, 200, 300, 400};
    data.sizes = {40, 80, 160};
    data.accuracy = {{0.5, 1, 1, 1}, {0.5, 0.4, 1, 0.97}, {0.5, 0.96, 0.2, 0.4}};
    return data;
}

/// A 1 that comes from 100° to 180° in one pair, a 0 that stays.
viz::TurnHistory turning(double after) {
    viz::TurnHistory turns;
    turns.head = 7, turns.pairs = {3}, turns.tokens = {"0", "1"}, turns.steps = {0, 200, 300, 400};
    turns.turn = {{{0, 0, 0, 0}}, {{100, after, 180, 180}}};
    turns.owed = {0, 180};
    return turns;
}

RunSetup tiny() {
    return set_up(load_recipe(
        "parity-quick",
        {"steps=24", "batch=4", "model.d_model=16", "model.d_state=8", "log_every=6", "validation.every=8",
         "validation.sizes=[8]", "validation.count=16", "test.sizes=[8,12]", "test.count=16", "curriculum.end=12",
         "checkpoint.every=8", "checkpoint.keep=100", "replicas.seeds=2", "replicas.learning_rates=[0.004]"}));
}

}  // namespace

TEST_CASE("the claim about a training is read off its numbers", "[viz][training]") {
    viz::TrainingData data = learning();
    CHECK(viz::learnt_at(data, 0) == 200);
    CHECK(viz::learnt_at(data, 1) == 300);
    CHECK(viz::learnt_at(data, 2) == -1);  // it was right once, and is no more
    CHECK(viz::flat_from(data) == 200);
    CHECK(viz::training_figure(data).claim == "Size 40 is learnt by step 200 and size 160 is not learnt");
    data.turns = turning(150);
    CHECK(viz::training_figure(data).claim == "After the loss is flat, at step 200, a 1 still moves by 30°");
    data.turns = turning(179.5);
    CHECK(viz::training_figure(data).claim == "The loss is flat from step 200 on, and so are the angles");
    data.turns->turn[0][0] = {0, 0, 0, 7};  // flat is what no token moves
    CHECK(viz::training_figure(data).claim == "After the loss is flat, at step 200, a 0 still moves by 7°");
    data.turns = turning(179.5);
    data.turns->steps[1] = 10;  // two moments are too few to say what moved
    CHECK(viz::training_figure(data).claim == "Size 40 is learnt by step 200 and size 160 is not learnt");
    data.turns = turning(179.5);
    data.loss[1] = {1, 0.02, 0.5, 0.4};  // not flat at all
    CHECK(viz::flat_from(data) == -1);
    CHECK(viz::training_figure(data).claim == "Size 40 is learnt by step 200 and size 160 is not learnt");
    data.sizes.clear(), data.turns.reset();
    CHECK(viz::training_figure(data).claim == "The losses of 2 replicas end between 0.4 and 0.7");
    data.loss = {};
    CHECK_THROWS_AS(viz::training_figure(data), UserError);
}

TEST_CASE("a training figure draws every replica and the chosen one bold", "[viz][training]") {
    viz::TrainingData data = learning();
    data.turns = turning(150);
    data.loss[0][3] = std::nan("");  // it was stopped
    const plot::Figure figure = viz::training_figure(data);
    CHECK(sound(figure));
    REQUIRE(figure.panels.size() == 4);
    const plot::Panel& loss = panel_of(figure, "loss");
    CHECK(mark_of<plot::Line>(loss, "chosen").style.weight == plot::Weight::chosen);
    CHECK(mark_of<plot::Line>(loss, "replica.0").style.weight == plot::Weight::context);
    CHECK(mark_of<plot::Line>(panel_of(figure, "turns"), "turn.1.3").points[1].y == 150);
    // The zoom holds only what lies within its 15 degrees.
    for (const plot::Point p : mark_of<plot::Line>(panel_of(figure, "zoom"), "zoom.3").points)
        if (std::isfinite(p.y)) CHECK(std::abs(p.y - 180) <= 15 + 1e-9);
    CHECK_THAT(figure.words.back(), ContainsSubstring("a 1 turns pair 3 of head 7 by 180.00°; it owes 180°"));
}

TEST_CASE("the constructed model turns by half a turn at a one and by none at a zero", "[viz][training]") {
    const ConstructedModel& model = constructed_model("parity-mamba3");
    const auto turns = viz::turns_of(model.config, model.slice, {1, 2}, 0);
    CHECK(std::abs(turns[0][0]) < 1e-9);
    CHECK(std::abs(turns[1][0]) == Approx(180));
    const viz::Exhibit exhibit{"Mamba-3", "", model.config, model.slice, find_task("parity")};
    const auto history = viz::turn_history(exhibit, {{0, model.slice}, {5, model.slice}});
    REQUIRE(history);
    CHECK(history->tokens == std::vector<std::string>{"0", "1"});
    CHECK(history->steps == std::vector<std::int64_t>{0, 5});
    CHECK(history->turn[1][0][1] == Approx(180));  // its sense is the positive one
    CHECK(history->owed == std::vector<double>{0, 180});
    const ConstructedModel& delta = constructed_model("parity-gdn");
    CHECK_FALSE(
        viz::turn_history({"", "", delta.config, {}, find_task("parity")}, {{0, delta.slice}, {5, delta.slice}}));
}

TEST_CASE("a training that is watched is the one that is stored", "[viz][training]") {
    const RunSetup setup = tiny();
    const auto processor = make_cpu_backend(1);
    viz::Watching watching;
    watching.rows = 4, watching.examples = 16;
    const viz::TrainingData watched = viz::watch_training(setup, *processor, watching);
    const TemporaryFolder folder;
    RunDirectory run = open_or_create(folder / "run", setup);
    train_run(setup, run, *processor, {});
    const viz::TrainingData stored = viz::load_training(folder / "run", watched.chosen);
    // The metrics' last row is of the steps 19 to 24, as is the last that was watched.
    CHECK(watched.loss_steps == std::vector<std::int64_t>{6, 12, 18, 24});
    REQUIRE(stored.loss_steps.back() == 24);
    for (std::size_t r = 0; r < 2; ++r) CHECK(stored.loss[r].back() == watched.loss[r].back());
    CHECK(stored.accuracy_steps == std::vector<std::int64_t>{8, 16, 24});
    CHECK(stored.sizes == std::vector<std::int64_t>{8});
    // Angles from checkpoints are those of the timeline's frames at their steps.
    REQUIRE(stored.turns);
    REQUIRE(watched.turns);
    CHECK(stored.turns->steps == std::vector<std::int64_t>{8, 16, 24});
    CHECK(watched.turns->steps.size() == 25);
    REQUIRE(stored.turns->pairs == watched.turns->pairs);
    for (std::size_t token = 0; token < 2; ++token)
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(stored.turns->turn[token][0][i] == watched.turns->turn[token][0][8 * (i + 1)]);
    CHECK(sound(viz::training_figure(watched)));
    CHECK(sound(viz::training_figure(stored)));
    CHECK_THAT(message_of<UserError>([&] { viz::load_training(folder / "run", 9); }),
               ContainsSubstring("there are replicas 0..1"));
    CHECK_THROWS_AS(viz::load_training(folder / "none"), UserError);
}
