// A population in groups: how they are cut, and that no bit depends on it.
#include "core/training/grouping.hpp"

#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/small_population.hpp"

using namespace small;
using Catch::Matchers::ContainsSubstring;

namespace {

// 10 bytes for good, 100 and 5 more for each while computed.
const MemoryNeed kNeed{10, [](std::int64_t n) { return 100 + 5 * n; }, "a batch"};

std::vector<ReplicaHyper> five() {
    std::vector<ReplicaHyper> population = replicas();
    population.push_back({2e-3, 0.0, 4, 4, {0.1, 0.2}, true});
    population.push_back({4e-3, 0.1, 5, 1, {}, true});
    return population;
}

}  // namespace

TEST_CASE("groups cover all rows and differ by one at most", "[training][groups]") {
    for (std::int64_t rows = 0; rows < 30; ++rows)
        for (std::int64_t most = 1; most < 12; ++most) {
            const std::vector<Rows> groups = groups_of(rows, most);
            CHECK(static_cast<std::int64_t>(groups.size()) == (rows + most - 1) / most);
            std::int64_t next = 0;
            for (const Rows& group : groups) {
                CHECK(group.first == next);
                CHECK((group.count <= most && group.count >= groups.front().count - 1));
                CHECK(group.count <= groups.front().count);
                next += group.count;
            }
            CHECK(next == rows);
        }
}

TEST_CASE("a group is as large as the memory allows", "[training][groups]") {
    CHECK(choose_group(kNeed, 8, {}, 1000) == 8);
    CHECK(choose_group(kNeed, 8, {}, 100 + 80 + 5 * 3) == 3);
    CHECK(choose_group(kNeed, 8, {}, 100 + 80 + 5 * 4 - 1) == 3);
    CHECK(choose_group(kNeed, 8, {2, 0}, 1000) == 2);
    CHECK(choose_group(kNeed, 8, {20, 0}, 1000) == 8);
}

TEST_CASE("what does not fit is told with how many do", "[training][groups]") {
    const auto message = [](std::int64_t replicas, const GroupRequest& request, std::int64_t memory) {
        return message_of<UserError>([&] { choose_group(kNeed, replicas, request, memory); });
    };
    CHECK_THAT(message(8, {}, 114), ContainsSubstring("none fits"));
    CHECK_THAT(message(8, {}, 105 + 79), ContainsSubstring("8 replicas need") && ContainsSubstring(": 7 fit"));
    CHECK_THAT(message(8, {4, 0}, 100 + 80 + 15), ContainsSubstring("group of 4") && ContainsSubstring(": 3 fit"));
    Lab lab;
    TrainingConfig large = training();
    large.batch = 1 << 20;
    CHECK_THAT(message_of<UserError>([&] {
                   Trainer(large, model(), *lab.data, replicas(), *lab.backend, {0, std::int64_t{64} << 20});
               }),
               ContainsSubstring("a batch of 1048576 sequences of 24 positions"));
}

TEST_CASE("a shortage is told in numbers that differ", "[training][groups]") {
    constexpr std::int64_t kGib = std::int64_t{1} << 30;
    CHECK(shortage_text(5 * kGib, " for a batch", 4 * kGib) == "5.0 GiB for a batch, and 4.0 GiB may be used");
    CHECK(shortage_text(4 * kGib + (kGib >> 5), "", 4 * kGib) == "4.03 GiB, and 4.00 GiB may be used");
    CHECK(shortage_text(4 * kGib + 1, "", 4 * kGib) == "4294967297 bytes, and 4294967296 bytes may be used");
    CHECK(shortage_text(20 << 20, "", (20 << 20) - 300000) == "20.0 MiB, and 19.7 MiB may be used");
}

TEST_CASE("a population in groups has the bits it has at once", "[training][groups][determinism]") {
    for (const char* preset : {"mamba3", "gdn", "transformer"}) {
        INFO(preset);
        const auto data = make_data_source(Parity{});
        const auto backend = make_cpu_backend(1);
        Trainer whole(training(), model(preset), *data, five(), *backend);
        CHECK(whole.plan().group() == 5);
        whole.step(12);
        const EvaluationConfig on{{9, 30}, 37, 0};
        const Evaluation expected = whole.evaluate(Split::test, on);
        for (const std::int64_t group : {1, 2, 3}) {
            Trainer parts(training(), model(preset), *data, five(), *backend, {group, 0});
            CHECK(parts.plan().group() == group);
            parts.step(12);
            CHECK(same_bits(parts.snapshot().values, whole.snapshot().values));
            const Evaluation found = parts.evaluate(Split::test, on);
            for (std::size_t i = 0; i < 2; ++i) {
                CHECK(same_bits(found.loss[i], expected.loss[i]));
                CHECK(found.accuracy[i] == expected.accuracy[i]);
            }
        }
    }
}

TEST_CASE("little memory makes groups and less of it an error", "[training][groups]") {
    Lab lab(five());
    const std::int64_t all = lab.trainer.plan().memory();
    const std::int64_t limit = Trainer(training(), model(), *lab.data, five(), *lab.backend, {3, 0}).plan().memory();
    REQUIRE(limit < all);
    Trainer parts(training(), model(), *lab.data, five(), *lab.backend, {0, limit});
    CHECK(parts.plan().group() == 3);
    CHECK(parts.plan().memory() <= limit);
    parts.step(3);
    lab.trainer.step(3);
    CHECK(same_bits(parts.snapshot().values, lab.trainer.snapshot().values));
    CHECK_THROWS_AS(Trainer(training(), model(), *lab.data, five(), *lab.backend, {0, all / 40}), UserError);
    CHECK_THROWS_AS(Trainer(training(), model(), *lab.data, five(), *lab.backend, {5, limit}), UserError);
    // A test far beyond the training length is refused before training, not after it.
    CHECK_THAT(message_of<UserError>([&] {
                   parts.plan().check_evaluation({{1 << 16}, 4, 0}, "test.sizes");
               }),
               ContainsSubstring("test.sizes: size 65536 needs"));
}

TEST_CASE("a step in uneven groups allocates nothing", "[training][groups]") {
    if (!whorl::test::allocations_are_counted()) SKIP("allocations cannot be counted here");
    TrainingConfig config = training(100, 40);
    config.curriculum = {CurriculumShape::linear, 10, 17, 1.0, {}, 0};
    const auto data = make_data_source(Parity{});
    const auto backend = make_cpu_backend(1);
    for (const char* preset : {"mamba3", "gdn", "hybrid"}) {
        INFO(preset);
        Trainer trainer(config, model(preset), *data, five(), *backend, {2, 0});
        trainer.step(2);
        CHECK(whorl::test::fewest_allocations([&] { trainer.step(6); }) == 0);
    }
}
