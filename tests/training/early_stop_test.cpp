// Stopped replicas: they cost nothing, keep what they had, and leave no trace in the others.
#include <cmath>

#include "core/training/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_population.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace small;

namespace {

TrainingConfig stopping(std::int64_t validations) {
    TrainingConfig config = training(40);
    config.early_stop = {0.75, validations};
    return config;
}

// A validation at which replicas answer as given, at both sizes alike.
Evaluation answers(const Trainer& trainer, const std::vector<double>& accuracy) {
    const std::vector<double> loss(accuracy.size(), 0.1);
    return {Split::validation, trainer.steps_done(), {8, 20}, 10, {accuracy, accuracy}, {loss, loss}};
}

}  // namespace

TEST_CASE("a replica solved often enough in a row stops and the others go on with their bits", "[training][stop]") {
    Lab plain(replicas(), 1, training(40)), lab(replicas(), 1, stopping(2));
    const auto both = [&](std::int64_t steps) { plain.trainer.step(steps), lab.trainer.step(steps); };
    both(3);
    lab.trainer.observe(answers(lab.trainer, {0.8, 0.7, 0.9}));
    CHECK(lab.trainer.alive() == 3);
    both(3);
    lab.trainer.observe(
        answers(lab.trainer, {0.7, 0.8, 0.75}));  // the first one's row is broken, the last one is solved
    CHECK(lab.trainer.stopped_at() == std::vector<std::int64_t>{-1, -1, 6});
    CHECK(lab.trainer.standing().reason[2] == StopReason::solved);
    const std::vector<float> kept = slice_of(plain.trainer.snapshot().values.parameters, 2, 3);
    both(3);
    lab.trainer.observe(answers(lab.trainer, {0.8, 0.8, 0}));
    CHECK(lab.trainer.stopped_at() == std::vector<std::int64_t>{-1, 9, 6});
    both(3);
    const PopulationValues all = plain.trainer.snapshot().values, some = lab.trainer.snapshot().values;
    CHECK(same_bits(slice_of(some.parameters, 2, 3), kept));
    CHECK(same_bits(slice_of(some.parameters, 0, 3), slice_of(all.parameters, 0, 3)));
    CHECK(same_bits(slice_of(some.second_moment, 0, 3), slice_of(all.second_moment, 0, 3)));
    CHECK_FALSE(same_bits(slice_of(some.parameters, 1, 3), slice_of(all.parameters, 1, 3)));
    CHECK(std::isnan(lab.trainer.take_row().loss[2]) == false);  // its steps since the last row count
    lab.trainer.step(1);
    CHECK(std::isnan(lab.trainer.take_row().loss[2]));

    lab.trainer.observe(answers(lab.trainer, {1, 1, 1}));
    lab.trainer.step(1);
    lab.trainer.observe(answers(lab.trainer, {1, 1, 1}));
    CHECK(lab.trainer.finished());
    CHECK(lab.trainer.standing().count(StopReason::solved) == 3);
}

TEST_CASE("a stopped replica takes no time of a step", "[training][stop]") {
    // Work is counted by its groups: with one replica a group and two of three stopped, the arena is bound once a step.
    Lab lab(replicas(), 1, stopping(1));
    lab.trainer.step(2);
    lab.trainer.observe(answers(lab.trainer, {1, 0, 1}));
    lab.trainer.step(2);
    CHECK(lab.trainer.model().shape().replicas == 1);  // the batch that was computed
}

TEST_CASE("what is known about stopped replicas is not computed again and is the same", "[training][stop]") {
    Lab lab(replicas(), 1, stopping(1));
    const EvaluationConfig on{{9, 20}, 30, 0};
    lab.trainer.step(4);
    lab.trainer.observe(answers(lab.trainer, {1, 0, 0}));
    const Evaluation known = lab.trainer.evaluate(Split::validation, on);
    lab.trainer.step(4);
    lab.trainer.observe(answers(lab.trainer, {1, 0, 1}));  // stopped behind `known`: evaluated again
    const Evaluation fresh = lab.trainer.evaluate(Split::validation, on);
    const Evaluation helped = lab.trainer.evaluate(Split::validation, on, &known);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(same_bits(fresh.loss[i], helped.loss[i]));
        CHECK(fresh.accuracy[i] == helped.accuracy[i]);
        CHECK(fresh.loss[i][0] == known.loss[i][0]);
        CHECK(fresh.loss[i][2] != known.loss[i][2]);
    }
    Evaluation wrong = known;  // it is asked for, and only for those that were stopped before it
    for (auto& row : wrong.accuracy) row = {7, 7, 7};
    const Evaluation asked = lab.trainer.evaluate(Split::validation, on, &wrong);
    CHECK(asked.accuracy[0][0] == 7);
    CHECK(asked.accuracy[0][1] == fresh.accuracy[0][1]);
    CHECK(asked.accuracy[0][2] == fresh.accuracy[0][2]);
    // Another question: no use of it.
    CHECK(lab.trainer.evaluate(Split::validation, {{9, 20}, 31, 0}, &wrong).accuracy[0][0] <= 1);
}

TEST_CASE("stopped replicas survive a checkpoint", "[training][stop][determinism]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    Lab whole(replicas(), 1, stopping(2)), before(replicas(), 1, stopping(2)), after(replicas(), 1, stopping(2));
    const auto first_half = [](Trainer& trainer) {
        trainer.step(4);
        trainer.observe(answers(trainer, {0, 1, 1}));
        trainer.step(2);
        trainer.observe(answers(trainer, {1, 1, 0}));
        trainer.step(1);
    };
    const auto second_half = [](Trainer& trainer) {
        trainer.step(4);
        trainer.observe(answers(trainer, {1, 1, 1}));  // the row that began before the interruption is full
        trainer.step(4);
    };
    for (Lab* lab : {&whole, &before}) first_half(lab->trainer);
    second_half(whole.trainer);
    save_checkpoint(run, before.trainer.model(), before.trainer.snapshot(), {"small", "parity", 1}, {});
    after.trainer.restore(load_checkpoint(*run.newest_valid_checkpoint(), after.trainer.model().layout(), 3));
    CHECK(after.trainer.alive() == 2);
    second_half(after.trainer);
    CHECK(whole.trainer.stopped_at() == std::vector<std::int64_t>{11, 6, -1});
    CHECK(after.trainer.stopped_at() == whole.trainer.stopped_at());
    CHECK(after.trainer.standing().solved == whole.trainer.standing().solved);
    CHECK(same_bits(after.trainer.snapshot().values, whole.trainer.snapshot().values));
}
