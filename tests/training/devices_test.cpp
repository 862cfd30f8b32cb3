// A population spread over devices: no bit depends on how many there are.
#include "core/base/error.hpp"
#include "core/training/share.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_sets.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/small_population.hpp"

using namespace small;
using Catch::Matchers::ContainsSubstring;
using whorl::test::device_sets;
using whorl::test::DeviceSet;

namespace {

/// Five: not as many on each device. The fourth fails among the steps of the last device: its decay multiplies its
/// parameters with -1e4 a step.
std::vector<ReplicaHyper> five() {
    std::vector<ReplicaHyper> population = replicas();
    population.push_back({1e-3, 1e7, 4, 14, {}, true});
    population.push_back({4e-3, 0.1, 5, 15, {}, true});
    return population;
}

TrainingConfig constant_rate(std::int64_t steps) {
    TrainingConfig config = training(steps);
    config.schedule = {ScheduleShape::constant, 0, 0};
    return config;
}

struct Run {
    std::unique_ptr<DataSource> data = make_data_source(Parity{});
    Trainer trainer;

    Run(const Devices& devices, const TrainingConfig& config, const char* preset = "mamba3",
        const GroupRequest& group = {})
        : trainer(config, model(preset), *data, five(), devices, group) {}
};

void check_same(const Run& a, const Run& b) {
    const TrainerSnapshot one = a.trainer.snapshot(), other = b.trainer.snapshot();
    CHECK(one.step == other.step);
    CHECK(one.tokens == other.tokens);
    CHECK(one.standing.stopped_at == other.standing.stopped_at);
    CHECK(one.standing.reason == other.standing.reason);
    CHECK(same_bits(one.sums.loss, other.sums.loss));
    CHECK(same_bits(one.sums.norm, other.sums.norm));
    CHECK(same_bits(one.sums.correct, other.sums.correct));
    CHECK(same_bits(one.sums.used, other.sums.used));
    CHECK(same_bits(one.values, other.values));
    CHECK(a.trainer.alive() == b.trainer.alive());
}

void check_same(const Evaluation& a, const Evaluation& b) {
    REQUIRE(a.loss.size() == b.loss.size());
    for (std::size_t i = 0; i < a.loss.size(); ++i) {
        CHECK(same_bits(a.loss[i], b.loss[i]));
        CHECK(a.accuracy[i] == b.accuracy[i]);
    }
}

}  // namespace

TEST_CASE("replicas spread over devices have the bits that one device gives them", "[training][devices][determinism]") {
    const EvaluationConfig on{{9, 30}, 37, 0};
    for (const DeviceSet& set : device_sets())
        for (const char* preset : {"mamba3", "gdn"}) {
            INFO(preset);
            Run whole(set.first(1), constant_rate(24), preset);
            whole.trainer.step(17);
            const Evaluation before = whole.trainer.evaluate(Split::test, on);
            whole.trainer.step(7);
            for (std::size_t count = 2; count <= set.size(); ++count) {
                Run spread(set.first(count), constant_rate(24), preset, {2, 0});
                CHECK(spread.trainer.shares().size() == count);
                spread.trainer.step(17);
                check_same(spread.trainer.evaluate(Split::test, on), before);
                spread.trainer.step(7);
                check_same(whole, spread);
                check_same(whole.trainer.evaluate(Split::test, on, &before),
                           spread.trainer.evaluate(Split::test, on, &before));
                const auto& stopped = spread.trainer.stopped_at();
                CHECK(stopped[3] > 0);  // alone
                CHECK(spread.trainer.alive() == 4);
            }
        }
}

TEST_CASE("a run goes on with the same bits on another number of devices", "[training][devices][determinism]") {
    for (const DeviceSet& set : device_sets()) {
        Run whole(set.first(1), constant_rate(24)), before(set.first(2), constant_rate(24)),
            between(set.first(1), constant_rate(24)), after(set.first(set.size()), constant_rate(24));
        whole.trainer.step(24);
        before.trainer.step(9);
        between.trainer.restore(before.trainer.snapshot());
        between.trainer.step(7);
        after.trainer.restore(between.trainer.snapshot());
        after.trainer.step(8);
        check_same(whole, after);
    }
}

TEST_CASE("a curriculum that reacts looks at the replicas of all devices", "[training][devices]") {
    TrainingConfig config = constant_rate(30);
    config.curriculum = {CurriculumShape::stages, 6, 6, 0.5, {6, 9, 12}, 0};
    config.curriculum.advance_at = 0.01;
    const EvaluationConfig on{{8}, 16, 0};
    for (const DeviceSet& set : device_sets()) {
        Run whole(set.first(1), config), spread(set.first(2), config);
        for (Run* run : {&whole, &spread}) run->trainer.step(10);
        const auto one = whole.trainer.review_stage(on), other = spread.trainer.review_stage(on);
        REQUIRE((one && other));
        CHECK(one->accuracy == other->accuracy);
        CHECK((one->passed && other->passed));
        for (Run* run : {&whole, &spread}) run->trainer.step(10);
        check_same(whole, spread);
    }
}

TEST_CASE("more devices than replicas: those that are over stay idle", "[training][devices]") {
    const DeviceSet set = whorl::test::several_processors();
    const auto data = make_data_source(Parity{});
    Trainer two(training(), model(), *data, {replicas()[0], replicas()[1]}, set.first(3));
    CHECK(two.shares().size() == 2);
    two.step(3);
    CHECK(two.steps_done() == 3);
}

TEST_CASE("work is shared out evenly and data_parallel asks for as many devices", "[training][devices]") {
    TrainingConfig config = training(12, 6);
    const auto spread = shares_of_work(config, 5, 2);
    REQUIRE(spread.size() == 2);
    CHECK((spread[0].replicas.count == 3 && spread[1].replicas.first == 3 && spread[1].replicas.count == 2));
    CHECK((spread[1].sequences.first == 0 && spread[1].sequences.count == 6));
    config.data_parallel = 3;
    const auto split = shares_of_work(config, 5, 3);
    REQUIRE(split.size() == 3);
    for (std::int64_t i = 0; i < 3; ++i) {
        const ShareOfWork& share = split[static_cast<std::size_t>(i)];
        CHECK((share.replicas.first == 0 && share.replicas.count == 5));
        CHECK((share.sequences.first == 2 * i && share.sequences.count == 2));
    }
    CHECK_THAT(message_of<UserError>([&] { shares_of_work(config, 5, 1); }), ContainsSubstring("data_parallel") &&
                                                                                 ContainsSubstring("over 3 GPUs") &&
                                                                                 ContainsSubstring("--devices"));
    const DeviceSet set = whorl::test::several_processors();
    const auto data = make_data_source(Parity{});
    CHECK_THROWS_AS(Trainer(config, model(), *data, replicas(), set.first(3)), UserError);  // they are no GPUs
}
