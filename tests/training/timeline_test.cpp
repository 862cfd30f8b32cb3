#include "core/training/timeline.hpp"

#include "core/base/error.hpp"
#include "core/training/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_sets.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/small_population.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace small;

namespace {

std::vector<float> copy_of(std::span<const float> values) {
    return {values.begin(), values.end()};
}

Timeline of_steps(std::int64_t steps, const TimelineLimits& limits, std::int64_t at_once = 1) {
    Timeline timeline({0}, limits);
    for (std::int64_t step = 0; step <= steps; step += at_once)
        timeline.add({step, {static_cast<float>(step), 0, 0, 0}}, step + at_once > steps);
    return timeline;
}

std::vector<std::int64_t> steps_of(const Timeline& timeline) {
    std::vector<std::int64_t> steps;
    for (const Timeline::Frame& frame : timeline.frames()) steps.push_back(frame.step);
    return steps;
}

}  // namespace

TEST_CASE("a timeline holds what checkpoints hold", "[training][timeline]") {
    Lab lab;
    Timeline timeline({2, 0});
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    std::vector<PopulationValues> stored;
    for (int step = 0; step <= 12; ++step) {
        if (step > 0) lab.trainer.step();
        timeline.follow(lab.trainer);
        save_checkpoint(run, lab.trainer.model(), lab.trainer.snapshot(), {"run", "parity", 1}, {});
        stored.push_back(load_checkpoint(*run.newest_valid_checkpoint(), lab.trainer.model().layout(), 3).values);
    }
    REQUIRE(timeline.frames().size() == 13);
    for (std::int64_t step = 0; step <= 12; ++step) {
        const Timeline::Frame& frame = timeline.at(step);
        CHECK(frame.step == step);
        const auto& all = stored[static_cast<std::size_t>(step)].parameters;
        CHECK(same_bits(copy_of(timeline.slice(frame, 0)), slice_of(all, 2, 3)));
        CHECK(same_bits(copy_of(timeline.slice(frame, 1)), slice_of(all, 0, 3)));
    }
    CHECK(timeline.at(99).step == 12);
    CHECK(timeline.at(-1).step == 0);
}

TEST_CASE("following a training changes no bit of it", "[training][timeline]") {
    Lab alone, followed;
    Timeline timeline({0, 1, 2});
    alone.trainer.step(12);
    for (int step = 0; step < 12; ++step) {
        timeline.follow(followed.trainer);
        followed.trainer.step();
    }
    const TrainerSnapshot a = alone.trainer.snapshot(), b = followed.trainer.snapshot();
    CHECK(same_bits(a.values, b.values));
    CHECK(same_bits(a.sums.loss, b.sums.loss));
}

TEST_CASE("one replica's parameters are its own whatever row or device it is on", "[training][timeline]") {
    std::vector<ReplicaHyper> population = replicas();
    population[0].alive = false;  // goes to the last row
    const auto data = make_data_source(Parity{});
    const test::DeviceSet devices = test::several_processors();
    for (const std::size_t count : {std::size_t{1}, std::size_t{2}}) {
        Trainer trainer(training(), model(), *data, population, devices.first(count));
        trainer.step(3);
        const PopulationValues all = trainer.snapshot().values;
        for (std::size_t r = 0; r < 3; ++r) CHECK(same_bits(trainer.parameters(r), slice_of(all.parameters, r, 3)));
    }
}

TEST_CASE("frames are due at every step up to 50 and then at every 4 percent", "[training][timeline]") {
    const auto steps = steps_of(of_steps(1500, {}));
    REQUIRE(steps.size() < 200);
    for (std::int64_t i = 0; i <= 50; ++i) REQUIRE(steps[static_cast<std::size_t>(i)] == i);
    for (std::size_t i = 51; i + 1 < steps.size(); ++i) {
        const double growth = static_cast<double>(steps[i]) / static_cast<double>(steps[i - 1]);
        REQUIRE(growth <= 1.04);
        REQUIRE(growth > 1.019);  // 51 is not 4 % more than 50 yet, and steps are whole
    }
    CHECK(steps.back() == 1500);
}

TEST_CASE("a timeline that is full keeps every other frame and both ends", "[training][timeline]") {
    const auto all = steps_of(of_steps(20000, {1000, 1 << 20}));
    for (const std::int64_t most : {200, 100, 60, 30, 7, 2}) {
        const auto kept = steps_of(of_steps(20000, {most, 1 << 20}));
        INFO("at most " << most);
        CHECK(static_cast<std::int64_t>(kept.size()) <= most);
        if (most > 2) CHECK(static_cast<std::int64_t>(kept.size()) * 2 >= most);
        CHECK(kept.front() == 0);
        CHECK(kept.back() == 20000);
        std::size_t stride = 1;  // between neighbours in the full list, but for the last
        while (kept.size() > 2 && all[stride] != kept[1]) ++stride;
        for (std::size_t i = 0; i + 1 < kept.size(); ++i) REQUIRE(kept[i] == all[i * stride]);
        // The bytes of as many frames are the same limit.
        CHECK(steps_of(of_steps(20000, {1000, most * 16})) == kept);
    }
}

TEST_CASE("steps that are taken together pass due ones without losing their frames", "[training][timeline]") {
    const auto steps = steps_of(of_steps(1600, {}, 16));
    for (std::size_t i = 0; i < 20; ++i) CHECK(steps[i] == static_cast<std::int64_t>(16 * i));
    CHECK(steps.back() == 1600);
}

TEST_CASE("a timeline that holds no two frames says so", "[training][timeline]") {
    Timeline timeline({0}, {200, 20});
    CHECK_THAT(message_of<UserError>([&] {
                   timeline.add({0, {1, 2, 3}});
               }),
               Catch::Matchers::ContainsSubstring("these take 24 bytes, its limit is 20"));
}
