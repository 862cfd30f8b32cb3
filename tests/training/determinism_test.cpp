// Same bits, however the work is cut: alone or in a population, one thread or more, in one go or interrupted.
#include "core/training/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_population.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace small;

namespace {

constexpr const char* kPresets[] = {"mamba3", "mamba3-std-rope", "mamba2", "gdn", "transformer"};

}  // namespace

TEST_CASE("replica r of a population has the bits it has alone", "[training][determinism]") {
    for (const char* preset : kPresets) {
        INFO(preset);
        Lab together(replicas(), 2, training(), preset);
        together.trainer.step(100);
        const TrainerSnapshot all = together.trainer.snapshot();
        for (std::size_t r = 0; r < 3; ++r) {
            Lab alone({replicas()[r]}, 1, training(), preset);
            alone.trainer.step(100);
            const TrainerSnapshot one = alone.trainer.snapshot();
            CHECK(same_bits(one.values.parameters, slice_of(all.values.parameters, r, 3)));
            CHECK(same_bits(one.values.second_moment, slice_of(all.values.second_moment, r, 3)));
            CHECK(one.sums.loss[0] == all.sums.loss[r]);
        }
    }
}

TEST_CASE("the number of threads changes no bit", "[training][determinism]") {
    for (const char* preset : kPresets) {
        INFO(preset);
        // A batch of several row blocks, so that there is something to share out.
        Lab one(replicas(), 1, training(4, 40), preset), two(replicas(), 2, training(4, 40), preset),
            five(replicas(), 5, training(4, 40), preset);
        for (Lab* lab : {&one, &two, &five}) lab->trainer.step(4);
        CHECK(same_bits(one.trainer.snapshot().values, two.trainer.snapshot().values));
        CHECK(same_bits(one.trainer.snapshot().values, five.trainer.snapshot().values));
        const EvaluationConfig on{{20, 33}, 50, 0};
        CHECK(same_bits(one.trainer.evaluate(Split::test, on).loss[1], two.trainer.evaluate(Split::test, on).loss[1]));
    }
}

TEST_CASE("evaluation leaves no trace in training", "[training][determinism]") {
    Lab plain, curious;
    plain.trainer.step(12);
    for (int i = 0; i < 12; ++i) {
        curious.trainer.step();
        curious.trainer.evaluate(Split::validation, {{30}, 10, 0});
    }
    CHECK(same_bits(plain.trainer.snapshot().values, curious.trainer.snapshot().values));
}

TEST_CASE("a run resumed from files goes on with the same bits", "[training][determinism]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    Lab whole, before, after;
    whole.trainer.step(12);
    before.trainer.step(5);
    save_checkpoint(run, before.trainer.model(), before.trainer.snapshot(), {"small", "parity", 1}, {});
    after.trainer.restore(load_checkpoint(*run.newest_valid_checkpoint(), after.trainer.model().layout(), 3));
    CHECK(after.trainer.steps_done() == 5);
    after.trainer.step(7);

    const RunDirectory first = RunDirectory::create(folder / "first", ""),
                       second = RunDirectory::create(folder / "second", "");
    save_checkpoint(first, whole.trainer.model(), whole.trainer.snapshot(), {"small", "parity", 1}, {});
    save_checkpoint(second, after.trainer.model(), after.trainer.snapshot(), {"small", "parity", 1}, {});
    for (const char* file : {"model.safetensors", "optimizer.safetensors", "state.json", "checksums.json"}) {
        INFO(file);
        CHECK(slurp(folder / ("first/checkpoints/step-12/" + std::string(file))) ==
              slurp(folder / ("second/checkpoints/step-12/" + std::string(file))));
    }
}
