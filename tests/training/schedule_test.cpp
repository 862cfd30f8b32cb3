#include "core/training/schedule.hpp"

#include "core/training/replica.hpp"
#include "core/training/statistics.hpp"
#include "tests/support/catch.hpp"

using namespace whorl;

TEST_CASE("cosine: rises in equal steps from above zero and falls to its end", "[training]") {
    const Schedule schedule{ScheduleShape::cosine, 0.1, 0.0};
    CHECK(schedule_factor(schedule, 0, 100) == Approx(0.1));
    CHECK(schedule_factor(schedule, 9, 100) == Approx(1.0));
    CHECK(schedule_factor(schedule, 10, 100) == Approx(1.0));
    CHECK(schedule_factor(schedule, 55, 100) == Approx(0.5));
    CHECK(schedule_factor(schedule, 99, 100) < 0.001);
    CHECK(schedule_factor({ScheduleShape::cosine, 0.0, 0.25}, 99, 100) > 0.25);
    CHECK(schedule_factor({ScheduleShape::constant, 0.0, 0.0}, 99, 100) == 1);
    CHECK(schedule_factor({ScheduleShape::cosine, 1.0, 0.0}, 99, 100) == 1);
}

TEST_CASE("a curriculum grows from start to end and stays there", "[training]") {
    const Curriculum linear{CurriculumShape::linear, 8, 40, 0.5, {}, 0};
    CHECK(max_size(linear, 0, 1000) == 8);
    CHECK(max_size(linear, 499, 1000) == 40);
    CHECK(max_size(linear, 999, 1000) == 40);
    for (std::int64_t step = 1; step < 1000; ++step)
        CHECK(max_size(linear, step, 1000) >= max_size(linear, step - 1, 1000));
    CHECK(max_size({CurriculumShape::linear, 8, 40, 0.0, {}, 0}, 0, 1000) == 40);
    CHECK(max_size({CurriculumShape::fixed, 8, 40, 0.5, {}, 0}, 0, 1000) == 40);
}

TEST_CASE("stages take equal shares or the steps they are given", "[training]") {
    const Curriculum shares{CurriculumShape::stages, 0, 0, 0, {8, 16, 32}, 0};
    CHECK(max_size(shares, 0, 30) == 8);
    CHECK(max_size(shares, 10, 30) == 16);
    CHECK(max_size(shares, 29, 30) == 32);
    const Curriculum counted{CurriculumShape::stages, 0, 0, 0, {8, 16, 32}, 2};
    CHECK(max_size(counted, 4, 30) == 32);
    CHECK(counted.largest() == 32);
}

TEST_CASE("batches are padded to the next multiple of eight", "[training]") {
    CHECK(bucket_length(1) == 8);
    CHECK(bucket_length(8) == 8);
    CHECK(bucket_length(9) == 16);
}

TEST_CASE("a grid is a product in which the seed changes fastest", "[training]") {
    const ReplicaGrid grid{{1e-3, 1e-2}, {0.0, 0.1}, {{}}, 3, 5};
    const std::vector<ReplicaHyper> replicas = replicas_of(grid);
    REQUIRE(replicas.size() == 12);
    CHECK(grid.count() == 12);
    CHECK(replicas[0].init_seed == 5);
    CHECK(replicas[2].data_seed == 7);
    CHECK(replicas[3].weight_decay == 0.1);
    CHECK(replicas[3].learning_rate == 1e-3);
    CHECK(replicas[6].learning_rate == 1e-2);
}

TEST_CASE("median", "[training]") {
    CHECK(median({3, 1, 2}) == 2);
    CHECK(median({4, 1, 2, 3}) == 2.5);
    CHECK(median({}) == 0);
}
