#include "core/training/trainer.hpp"

#include <cmath>
#include <limits>

#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/training/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/small_population.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace small;

TEST_CASE("a replica that meets NaN is stopped and the others go on untouched", "[training]") {
    Lab healthy, broken;
    healthy.trainer.step(3);
    broken.trainer.step(3);
    TrainerSnapshot snapshot = broken.trainer.snapshot();
    const std::size_t slice = snapshot.values.parameters.size() / 3;
    snapshot.values.parameters[slice + 5] = std::numeric_limits<float>::quiet_NaN();  // in replica 1's embedding
    broken.trainer.restore(snapshot);
    healthy.trainer.step(9);
    broken.trainer.step(9);

    CHECK(broken.trainer.stopped_at() == std::vector<std::int64_t>{-1, 3, -1});
    CHECK(broken.trainer.alive() == 2);
    CHECK(broken.trainer.steps_done() == 12);
    const PopulationValues good = healthy.trainer.snapshot().values, bad = broken.trainer.snapshot().values;
    for (const std::size_t r : {std::size_t{0}, std::size_t{2}}) {
        CHECK(same_bits(slice_of(good.parameters, r, 3), slice_of(bad.parameters, r, 3)));
        CHECK(same_bits(slice_of(good.second_moment, r, 3), slice_of(bad.second_moment, r, 3)));
    }
    // The stopped one keeps what it had.
    CHECK(same_bits(slice_of(bad.parameters, 1, 3), slice_of(snapshot.values.parameters, 1, 3)));
    CHECK(same_bits(slice_of(bad.first_moment, 1, 3), slice_of(snapshot.values.first_moment, 1, 3)));
    // Its losses do not spoil the next checkpoint.
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    const Evaluation validation = broken.trainer.evaluate(Split::validation, {{8}, 4, 0});
    save_checkpoint(run, broken.trainer.model(), broken.trainer.snapshot(), {"small", "parity", 1}, validation);
    const TrainerSnapshot loaded = load_checkpoint(*run.newest_valid_checkpoint(), broken.trainer.model().layout(), 3);
    CHECK(loaded.standing.stopped_at == broken.trainer.stopped_at());
    CHECK(best_replica(stored_validation(*run.newest_valid_checkpoint(), 3)) != 1);
}

TEST_CASE("a run without living replicas is finished", "[training]") {
    Lab lab;
    lab.trainer.step(2);
    TrainerSnapshot snapshot = lab.trainer.snapshot();
    for (float& value : snapshot.values.parameters) value = std::numeric_limits<float>::infinity();
    lab.trainer.restore(snapshot);
    lab.trainer.step(5);
    CHECK(lab.trainer.alive() == 0);
    CHECK(lab.trainer.finished());
    CHECK(lab.trainer.steps_done() == 3);  // the step that found out
}

TEST_CASE("a replica that starts stopped never moves", "[training]") {
    std::vector<ReplicaHyper> population = replicas();
    population[0].alive = false;
    Lab lab(population);
    const PopulationValues before = lab.trainer.snapshot().values;
    lab.trainer.step(3);
    const PopulationValues after = lab.trainer.snapshot().values;
    CHECK(same_bits(slice_of(before.parameters, 0, 3), slice_of(after.parameters, 0, 3)));
    CHECK_FALSE(same_bits(slice_of(before.parameters, 1, 3), slice_of(after.parameters, 1, 3)));
}

TEST_CASE("clipping bounds each replica's gradient by itself", "[training]") {
    TrainingConfig config = training(1);
    config.optimizer.clip = 1e-3;  // far below any gradient's norm here
    Lab lab(replicas(), 1, config);
    lab.trainer.step();
    const std::vector<float> moments =
        lab.trainer.snapshot().values.first_moment;  // 0.1 × clipped gradient after one step
    for (std::size_t r = 0; r < 3; ++r) {
        double sum = 0;
        for (const float m : slice_of(moments, r, 3)) sum += static_cast<double>(m) * static_cast<double>(m);
        CHECK(std::sqrt(sum) == Approx(1e-4).epsilon(1e-4));
    }
}

TEST_CASE("decay touches matrices only and frozen parameters stay", "[training]") {
    // Two trainings that differ in nothing but the decay differ after one step by rate·decay·value.
    ModelConfig frozen = model();
    std::get<Mamba3Config>(frozen.layers[0]).bc_bias_trainable = false;
    TrainingConfig config = training(1);
    config.schedule = {ScheduleShape::constant, 0, 0};
    const auto data = make_data_source(Parity{});
    const auto backend = make_cpu_backend(1);
    Trainer plain(config, frozen, *data, {{1e-3, 0.0, 1, 1, {}, true}}, *backend),
        decayed(config, frozen, *data, {{1e-3, 10.0, 1, 1, {}, true}}, *backend);
    const std::vector<float> start = plain.snapshot().values.parameters;
    plain.step();
    decayed.step();
    const std::vector<float> without = plain.snapshot().values.parameters, with = decayed.snapshot().values.parameters;
    for (const ParameterInfo& parameter : plain.model().layout().parameters()) {
        INFO(parameter.name);
        for (std::int64_t i = parameter.offset; i < parameter.offset + parameter.count; ++i) {
            const auto at = static_cast<std::size_t>(i);
            if (!parameter.trainable) REQUIRE(with[at] == start[at]);
            const float decay = parameter.trainable && parameter.decay ? 1e-2F * start[at] : 0.0F;
            REQUIRE(without[at] - with[at] == Approx(decay).margin(3e-7));
        }
    }
}

TEST_CASE("rows hold means over the interval and tokens count padding", "[training]") {
    Lab lab;
    lab.trainer.step(2);
    const TrainingRow first = lab.trainer.take_row();
    CHECK(first.step == 2);
    CHECK(first.tokens == 2 * 6 * 8);  // sizes 6 to 8: at most 7 positions, padded to 8
    for (const double loss : first.loss) CHECK((loss > 0.2 && loss < 5));
    lab.trainer.step(1);
    const TrainingRow second = lab.trainer.peek_row();
    CHECK(second.accuracy[0] * 6 == Approx(std::round(second.accuracy[0] * 6)));
    lab.trainer.step(1000);
    CHECK(lab.trainer.steps_done() == 12);
    CHECK(lab.trainer.finished());
}

TEST_CASE("all replicas are evaluated on the same examples and other splits differ", "[training]") {
    const ReplicaHyper one = replicas()[0];
    Lab lab({one, one});
    lab.trainer.step(2);
    const Evaluation validation =
        lab.trainer.evaluate(Split::validation, {{9, 30}, 37, 0});  // 37: the last batch is not full
    CHECK(validation.accuracy.size() == 2);
    CHECK(validation.accuracy[1][0] == validation.accuracy[1][1]);
    CHECK(validation.loss[0][0] == validation.loss[0][1]);
    CHECK(validation.accuracy[0][0] * 37 == Approx(std::round(validation.accuracy[0][0] * 37)));
    CHECK(lab.trainer.evaluate(Split::test, {{9, 30}, 37, 0}).loss[1][0] != validation.loss[1][0]);
}

TEST_CASE("the best replica has the highest accuracy then the lowest loss and NaN never wins", "[training]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Evaluation evaluation{Split::validation, 1, {8}, 10, {{0.5, 1.0, 1.0, 1.0}}, {{0.1, nan, 0.3, 0.2}}};
    CHECK(best_replica(evaluation) == 3);
    // The largest size alone ranks, wherever it stands in the list.
    const Evaluation two{Split::validation, 1, {80, 40}, 10, {{0.6, 0.7}, {1.0, 0.5}}, {{0.1, 0.9}, {0.1, 0.9}}};
    CHECK(best_replica(two) == 1);
    CHECK(best_replica({}) == 0);
}

TEST_CASE("a checkpoint of another population or model is refused", "[training]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    Lab lab;
    save_checkpoint(run, lab.trainer.model(), lab.trainer.snapshot(), {"small", "parity", 1}, {});
    const CheckpointFiles files = *run.newest_valid_checkpoint();
    CHECK_THROWS_AS(load_checkpoint(files, lab.trainer.model().layout(), 2), UserError);
    CHECK_THROWS_AS(load_checkpoint(files, ParameterLayout(model("mamba2")), 3), UserError);
    const SafetensorsFile stored = SafetensorsFile::open(files.model_path());
    CHECK(stored.at("backbone.embedding.weight").shape == std::vector<std::int64_t>{3, 3, 16});
    CHECK(stored.metadata_at("config").find("mamba3") != std::string::npos);
}

TEST_CASE("a curriculum below the task's smallest size is an error", "[training]") {
    TrainingConfig config = training();
    config.curriculum.start = 2;
    CHECK_THAT(message_of<UserError>([&] { Lab(replicas(), 1, config); }),
               Catch::Matchers::ContainsSubstring("smallest is 3"));
}
