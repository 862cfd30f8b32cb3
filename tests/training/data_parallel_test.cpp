// Devices that share each batch. Parity with every position supervised: examples of different lengths have different
// numbers of answers, so that the mean over a batch is not the mean of its parts' means.
#include "core/backend/communicator.hpp"
#include "core/base/crew.hpp"
#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/device_sets.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/small_population.hpp"

using namespace small;
using Catch::Matchers::ContainsSubstring;
using whorl::test::DeviceSet;

namespace {

std::unique_ptr<DataSource> every_prefix() {
    Parity parity;
    parity.supervise = Supervise::all;
    return make_data_source(parity);
}

struct Run {
    std::unique_ptr<DataSource> data = every_prefix();
    Trainer trainer;

    Run(const Devices& devices, std::int64_t steps, const std::vector<ReplicaHyper>& population = replicas())
        : trainer(config(devices, steps), model(), *data, population, devices) {}

    static TrainingConfig config(const Devices& devices, std::int64_t steps) {
        TrainingConfig config = training(steps, 12);
        config.data_parallel = static_cast<std::int64_t>(devices.size());
        return config;
    }
};

/// As many GPUs as share a batch of 12 evenly; empty where there are not two.
DeviceSet sharing_gpus() {
    DeviceSet set = whorl::test::several_gpus(4);
    if (set.size() > 1 && !why_no_communicator().empty()) {
        std::cout << "skipped: batches shared by GPUs (" << why_no_communicator() << ")\n";
        return {};
    }
    return set;
}

}  // namespace

TEST_CASE("GPUs that share batches train as one does within rounding", "[training][devices]") {
    const DeviceSet set = sharing_gpus();
    if (set.size() < 2) return;
    for (std::size_t count = 2; count <= set.size(); ++count) {
        Run one(set.first(1), 20), shared(set.first(count), 20);
        const EvaluationConfig on{{9}, 20, 0};
        for (const std::int64_t steps : {1, 2}) {
            one.trainer.step(steps);
            shared.trainer.step(steps);
            const TrainerSnapshot expected = one.trainer.snapshot(), found = shared.trainer.snapshot();
            CHECK(found.tokens == expected.tokens);
            CHECK(same_bits(found.sums.used, expected.sums.used));
            CHECK(found.sums.used[0] > 12.0 * static_cast<double>(steps));  // more than one answer an example
            for (std::size_t r = 0; r < 3; ++r) {
                // The same parameters at first, then ones that AdamW has moved: it divides by gradients near zero.
                const double margin = steps == 1 ? 1e-6 : 1e-4;
                CHECK(found.sums.loss[r] == Approx(expected.sums.loss[r]).epsilon(margin));
                CHECK(found.sums.norm[r] == Approx(expected.sums.norm[r]).epsilon(10 * margin));
            }
        }
        shared.trainer.step(17);
        CHECK(shared.trainer.evaluate(Split::validation, on).loss[0].size() == 3);  // throws were they to disagree
    }
}

TEST_CASE("GPUs that share batches leave the same bits again and after an interruption",
          "[training][devices][determinism]") {
    const DeviceSet set = sharing_gpus();
    if (set.size() < 2) return;
    Run whole(set.first(2), 24), again(set.first(2), 24), before(set.first(2), 24), after(set.first(2), 24);
    whole.trainer.step(24);  // through all lengths of the curriculum
    for (int i = 0; i < 24; ++i) again.trainer.step();
    before.trainer.step(9);
    const Evaluation between = before.trainer.evaluate(Split::test, {{200}, 8, 0});  // longer than any training batch
    CHECK(between.accuracy[0].size() == 3);
    const TrainerSnapshot kept = before.trainer.snapshot();
    before.trainer.step(15);
    after.trainer.restore(kept);
    after.trainer.step(15);
    const TrainerSnapshot expected = whole.trainer.snapshot();
    for (const Run* run : {&again, &before, &after}) {
        const TrainerSnapshot found = run->trainer.snapshot();
        CHECK(same_bits(found.values, expected.values));
        CHECK(same_bits(found.sums.loss, expected.sums.loss));
        CHECK(same_bits(found.sums.norm, expected.sums.norm));
    }
}

TEST_CASE("a replica that fails on GPUs that share batches stops alone", "[training][devices]") {
    const DeviceSet set = sharing_gpus();
    if (set.size() < 2) return;
    std::vector<ReplicaHyper> population = replicas();
    population[1].weight_decay = 1e7;
    Run run(set.first(2), 30, population);
    run.trainer.step(30);
    CHECK(run.trainer.stopped_at()[1] > 0);
    CHECK(run.trainer.alive() == 2);
    CHECK(run.trainer.steps_done() == 30);
}

TEST_CASE("what is combined is the whole batch's on every GPU", "[training][devices]") {
    const DeviceSet set = sharing_gpus();
    if (set.size() < 2) return;
    const Devices devices = set.first(set.size());
    const auto ends = make_communicators(devices, 2);
    constexpr std::int64_t kSlice = 48;
    const std::size_t count = devices.size();
    std::vector<std::vector<float>> gradients(count);
    std::vector<std::vector<double>> losses(count);
    Crew crew(count);
    // Device d has used d + 1 slots of the first replica and none of the second.
    crew.run([&](std::size_t d) {
        Backend& backend = devices[d];
        backend.attach();
        const Buffer memory = backend.allocate(4096);
        Arena arena(memory.data(), backend.device());
        const Tensor gradient = arena.activation({2, 1, 1, kSlice}, DType::f32);
        const LossTensors parts{arena.activation({2, 1, 1, 1}, DType::f64), arena.activation({2, 1, 1, 1}, DType::f64),
                                arena.activation({2, 1, 1, 1}, DType::f64)};
        const double used = static_cast<double>(d) + 1;
        std::vector<float> slopes(2 * kSlice, 0.0F);
        std::fill_n(slopes.begin(), kSlice, static_cast<float>(used));
        backend.upload(gradient, slopes.data(), static_cast<std::int64_t>(slopes.size() * sizeof(float)));
        for (const auto& [tensor, value] :
             {std::pair{parts.loss, 10 * used}, std::pair{parts.correct, 1.0}, std::pair{parts.used, used}})
            backend.upload(tensor, &value, sizeof value);
        ends[d]->combine(gradient, parts);
        gradients[d].resize(slopes.size());
        backend.download(gradients[d].data(), gradient, static_cast<std::int64_t>(slopes.size() * sizeof(float)));
        for (const Tensor& tensor : {parts.loss, parts.correct, parts.used})
            backend.download(&losses[d].emplace_back(), tensor, sizeof(double));
    });
    double used = 0, squares = 0;
    for (std::size_t d = 1; d <= count; ++d) {
        used += static_cast<double>(d);
        squares += static_cast<double>(d * d);
    }
    for (std::size_t d = 0; d < count; ++d) {
        CHECK(gradients[d] == gradients[0]);
        CHECK(gradients[d][0] == Approx(squares / used).epsilon(1e-6));
        CHECK(gradients[d][kSlice] == 0);
        CHECK(losses[d][0] == Approx(10 * squares / used).epsilon(1e-12));
        CHECK(losses[d][1] == static_cast<double>(count));
        CHECK(losses[d][2] == used);
    }
}

TEST_CASE("a GPU that fails frees the others", "[training][devices]") {
    const DeviceSet set = sharing_gpus();
    if (set.size() < 2) return;
    const Devices devices = set.first(2);
    const auto ends = make_communicators(devices, 1);
    Crew crew(2, [&] {
        for (const auto& end : ends) end->abandon();
    });
    const auto work = [&](std::size_t d) {
        if (d == 0) throw RuntimeFailure("the cause");
        ends[d]->meet();
    };
    CHECK_THROWS_WITH(crew.run(work), "the cause");
}
