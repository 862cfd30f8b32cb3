// Curricula whose stages end when the population passes them.
#include "core/base/error.hpp"
#include "core/training/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/small_population.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace small;

namespace {

TrainingConfig staged(double advance_at, std::int64_t steps_per_stage = 0) {
    TrainingConfig config = training(40);
    config.curriculum = {CurriculumShape::stages, 0, 0, 0, {6, 12, 20}, steps_per_stage, advance_at};
    return config;
}

const EvaluationConfig kOn{{20}, 40, 0};

}  // namespace

TEST_CASE("a stage that the median passes gives way to the next", "[training][stages]") {
    Lab lab(replicas(), 1, staged(0.01));
    lab.trainer.step(2);
    CHECK(lab.trainer.peek_row().max_size == 6);
    const auto first = lab.trainer.review_stage(kOn);
    REQUIRE(first);
    CHECK((first->passed && first->stage == 0 && first->size == 6 && first->step == 2));
    // The median of what an evaluation at that size finds.
    const std::vector<double> accuracy = lab.trainer.evaluate(Split::validation, {{6}, 40, 0}).accuracy[0];
    CHECK(first->accuracy ==
          std::max(std::min(accuracy[0], accuracy[1]), std::min(std::max(accuracy[0], accuracy[1]), accuracy[2])));
    lab.trainer.step(1);
    CHECK(lab.trainer.peek_row().max_size == 12);
    CHECK(lab.trainer.review_stage(kOn)->passed);
    CHECK_FALSE(lab.trainer.review_stage(kOn));  // the last one has nothing to decide
    lab.trainer.step(1);
    CHECK(lab.trainer.peek_row().max_size == 20);
}

TEST_CASE("a stage that nobody passes ends in time or never", "[training][stages]") {
    Lab patient(replicas(), 1, staged(1.0)), timed(replicas(), 1, staged(1.0, 5));
    for (Lab* lab : {&patient, &timed}) lab->trainer.step(5);
    CHECK_FALSE(patient.trainer.review_stage(kOn)->passed);
    for (Lab* lab : {&patient, &timed}) lab->trainer.step(1);
    CHECK(patient.trainer.peek_row().max_size == 6);
    CHECK(timed.trainer.peek_row().max_size == 12);
    for (Lab* lab : {&patient, &timed}) lab->trainer.step(34);
    CHECK(patient.trainer.peek_row().max_size == 6);
    CHECK(timed.trainer.peek_row().max_size == 20);
}

TEST_CASE("stopped replicas have no say in a stage", "[training][stages]") {
    TrainingConfig config = staged(0.01);
    config.early_stop = {0.9, 1};
    Lab lab(replicas(), 1, config);
    lab.trainer.step(2);
    const std::vector<double> solved = {1, 0, 1}, loss = {0, 0, 0};
    lab.trainer.observe({Split::validation, 2, {6}, 10, {solved}, {loss}});
    const auto review = lab.trainer.review_stage(kOn);
    REQUIRE(review);
    CHECK(review->accuracy == lab.trainer.evaluate(Split::validation, {{6}, 40, 0}).accuracy[0][1]);
}

TEST_CASE("the stage survives a checkpoint", "[training][stages][determinism]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    Lab whole(replicas(), 1, staged(0.01, 7)), before(replicas(), 1, staged(0.01, 7)),
        after(replicas(), 1, staged(0.01, 7));
    for (Lab* lab : {&whole, &before}) {
        lab->trainer.step(3);
        lab->trainer.review_stage(kOn);
        lab->trainer.step(2);
    }
    save_checkpoint(run, before.trainer.model(), before.trainer.snapshot(), {"small", "parity", 1}, {});
    after.trainer.restore(load_checkpoint(*run.newest_valid_checkpoint(), after.trainer.model().layout(), 3));
    for (Lab* lab : {&whole, &after}) {
        lab->trainer.step(5);
        CHECK(lab->trainer.peek_row().max_size == 12);
        lab->trainer.step(1);  // the eighth of the second stage is the first of the third
        CHECK(lab->trainer.peek_row().max_size == 20);
    }
    CHECK(same_bits(whole.trainer.snapshot().values, after.trainer.snapshot().values));
}

TEST_CASE("a curriculum that reacts is no longer same_replica", "[training][stages]") {
    const auto read = [](const std::string& text) {
        return read_config<RunConfig>(parse_toml("task = { type = \"parity\" }\n" + text, "r.toml"));
    };
    const std::string reacting =
        "[curriculum]\nshape = \"stages\"\nstages = [8, 16]\nadvance_at = 0.9\n[validation]\nevery = 10\n";
    CHECK(determinism_of(read(reacting).training) == Determinism::same_setup);
    CHECK(determinism_of(read("").training) == Determinism::same_replica);
    CHECK(read("determinism = \"same_setup\"\n" + reacting).determinism == Determinism::same_setup);
    const auto message = [&](const std::string& text) { return message_of<UserError>([&] { read(text); }); };
    CHECK_THAT(message("determinism = \"same_replica\"\n" + reacting),
               Catch::Matchers::ContainsSubstring("r.toml:2: determinism: same_replica cannot be had"));
    CHECK_THAT(message("[curriculum]\nadvance_at = 0.9\n[validation]\nevery = 10"),
               Catch::Matchers::ContainsSubstring("curriculum.advance_at: ends stages"));
    CHECK_THAT(message("[curriculum]\nshape = \"stages\"\nstages = [8, 16]\nadvance_at = 0.9"),
               Catch::Matchers::ContainsSubstring("validation.every"));
    CHECK_THAT(message("[early_stop]\naccuracy = 0.9"), Catch::Matchers::ContainsSubstring("validation.every"));
}
