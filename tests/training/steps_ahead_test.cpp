// Steps that are asked for together leave what they leave one after the other: on a device that works ahead the host
// learns of a replica's end only when it looks.
#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/small_population.hpp"

using namespace small;
using whorl::test::judged_backends;

namespace {

/// A trainer on a backend that others use, too.
struct Run {
    std::unique_ptr<DataSource> data = make_data_source(Parity{});
    Trainer trainer;

    Run(Backend& backend, const TrainingConfig& config, const std::vector<ReplicaHyper>& population = replicas(),
        const GroupRequest& group = {})
        : trainer(config, model(), *data, population, backend, group) {}

    Run& together(std::int64_t steps) {
        trainer.step(steps);
        return *this;
    }
    Run& one_by_one(std::int64_t steps) {
        for (; steps > 0; --steps) trainer.step();
        return *this;
    }
};

bool same(const IntervalSums& a, const IntervalSums& b) {
    return same_bits(a.loss, b.loss) && same_bits(a.norm, b.norm) && same_bits(a.correct, b.correct) &&
           same_bits(a.used, b.used) && same_bits(a.steps, b.steps);
}

void check_same(const Run& a, const Run& b) {
    const TrainerSnapshot one = a.trainer.snapshot(), other = b.trainer.snapshot();
    CHECK(one.step == other.step);
    CHECK(one.tokens == other.tokens);
    CHECK(one.stage.stage == other.stage.stage);
    CHECK(one.stage.since == other.stage.since);
    CHECK(one.standing.stopped_at == other.standing.stopped_at);
    CHECK(one.standing.reason == other.standing.reason);
    CHECK(same(one.sums, other.sums));
    CHECK(same_bits(one.values, other.values));
    CHECK(a.trainer.alive() == b.trainer.alive());
    for (std::int64_t row = 0; row < a.trainer.population().replicas(); ++row)
        CHECK(a.trainer.population().replica_at(row) == b.trainer.population().replica_at(row));
}

/// Replicas that grow beyond all numbers: by their decay, each step multiplies the parameters with -growth.
std::vector<ReplicaHyper> bursting(const std::vector<double>& growths) {
    std::vector<ReplicaHyper> population;
    for (const double growth : growths)
        population.push_back({1e-3, 1e3 * (growth + 1), population.size() + 1, population.size() + 11, {}, true});
    return population;
}

TrainingConfig constant_rate(std::int64_t steps) {
    TrainingConfig config = training(steps);
    config.schedule = {ScheduleShape::constant, 0, 0};
    return config;
}

}  // namespace

TEST_CASE("steps asked for together leave the bits of steps asked for one by one", "[training][ahead]") {
    for (Backend* backend : judged_backends()) {
        Run together(*backend, training(80)), apart(*backend, training(80));
        check_same(together.together(70), apart.one_by_one(70));  // more than the device takes at once
        check_same(together.together(1000), apart.one_by_one(10));
        CHECK(together.trainer.steps_done() == 80);
    }
}

TEST_CASE("replicas that fail among steps asked for together stop where they would have one by one",
          "[training][ahead]") {
    const std::vector<ReplicaHyper> population = bursting({1e6, -1, 3, 1e6, -1, 1e2});
    for (Backend* backend : judged_backends()) {
        Run together(*backend, constant_rate(60), population), apart(*backend, constant_rate(60), population);
        check_same(together.together(30), apart.one_by_one(30));
        const auto& stopped = together.trainer.stopped_at();
        CHECK(stopped[1] == -1);
        CHECK(stopped[0] > 0);
        CHECK(stopped[0] == stopped[3]);
        CHECK(stopped[5] > stopped[0]);
        CHECK(stopped[2] > stopped[5]);
        // An evaluation made before serves those who stopped before it, and nobody else.
        const EvaluationConfig on{{9}, 10, 0};
        const Evaluation before = together.trainer.evaluate(Split::validation, on);
        check_same(together.together(5), apart.one_by_one(5));
        CHECK(same_bits(together.trainer.evaluate(Split::validation, on, &before).loss[0],
                        apart.trainer.evaluate(Split::validation, on).loss[0]));
    }
}

TEST_CASE("a run whose last replica fails among steps asked for together ends with that step", "[training][ahead]") {
    TrainingConfig config = constant_rate(64);
    config.curriculum = {CurriculumShape::stages, 6, 6, 0.5, {6, 9, 12, 20}, 2};
    config.curriculum.advance_at = 0.99;
    const std::vector<ReplicaHyper> population = bursting({1e3, 1e4});
    for (Backend* backend : judged_backends()) {
        Run together(*backend, config, population), apart(*backend, config, population);
        check_same(together.together(64), apart.one_by_one(64));
        CHECK(together.trainer.finished());
        CHECK(together.trainer.steps_done() < 64);
        CHECK(together.trainer.steps_done() == together.trainer.stopped_at()[0] + 1);
    }
}

TEST_CASE("a run taken up between steps asked for together goes on with the same bits", "[training][ahead]") {
    const std::vector<ReplicaHyper> population = bursting({1e4, -1, 1e2});
    for (Backend* backend : judged_backends()) {
        Run whole(*backend, training(40), population), before(*backend, training(40), population),
            after(*backend, training(40), population);
        whole.together(40);
        after.trainer.restore(before.together(13).trainer.snapshot());
        check_same(whole, after.together(40));
    }
}

TEST_CASE("groups of replicas leave the same bits however many steps are asked for", "[training][ahead]") {
    std::vector<ReplicaHyper> population = replicas();
    for (const ReplicaHyper& more : bursting({1e4, -1})) population.push_back(more);
    for (Backend* backend : judged_backends()) {
        Run all(*backend, training(30), population), groups(*backend, training(30), population, {2, 0});
        all.together(25);
        groups.together(25);
        const TrainerSnapshot one = all.trainer.snapshot(), other = groups.trainer.snapshot();
        CHECK(one.standing.stopped_at == other.standing.stopped_at);
        CHECK(one.standing.stopped_at[3] > 0);
        CHECK(same(one.sums, other.sums));
        CHECK(same_bits(one.values, other.values));
    }
}

TEST_CASE("reviews and early stops between steps asked for together are those of steps one by one",
          "[training][ahead]") {
    TrainingConfig config = training(60);
    config.curriculum = {CurriculumShape::stages, 6, 6, 0.5, {6, 9, 12, 20}, 7};
    config.curriculum.advance_at = 0.01;  // passed at the first review
    config.early_stop = {0.2, 2};
    for (Backend* backend : judged_backends()) {
        Run together(*backend, config), apart(*backend, config);
        for (int round = 0; round < 3; ++round) {
            together.together(9);
            apart.one_by_one(9);
            for (Run* run : {&together, &apart}) {
                Evaluation answers = run->trainer.evaluate(Split::validation, {{8}, 6, 0});
                answers.accuracy = {{0.1, 0.9, 0.1}};  // the second is solved in the second round
                run->trainer.observe(answers);
                const auto review = run->trainer.review_stage({{8}, 6, 0});
                CHECK(review.has_value() == (round == 0));  // later in the last stage
            }
            check_same(together, apart);
        }
        CHECK(together.trainer.standing().reason[1] == StopReason::solved);
        CHECK(together.trainer.stopped_at()[1] == 18);
    }
}

TEST_CASE("a device trains on the same examples as the processor and to the same losses", "[training][ahead]") {
    Run reference(*judged_backends().front(), training(40));
    reference.together(3);
    const TrainerSnapshot expected = reference.trainer.snapshot();
    for (Backend* backend : judged_backends()) {
        Run run(*backend, training(40));
        const TrainerSnapshot found = run.together(3).trainer.snapshot();
        CHECK(found.tokens == expected.tokens);
        CHECK(same_bits(found.sums.used, expected.sums.used));
        for (std::size_t r = 0; r < 3; ++r) {
            CHECK(found.sums.loss[r] == Approx(expected.sums.loss[r]).epsilon(1e-4));  // float, three steps apart
            CHECK(found.sums.norm[r] == Approx(expected.sums.norm[r]).epsilon(1e-3));
        }
    }
}
