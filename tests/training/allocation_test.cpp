// Nothing is allocated inside a training step, data and optimizer included.
#include "tests/support/allocation_counter.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_population.hpp"

using namespace small;

TEST_CASE("a training step allocates nothing while the padded length stays the same", "[training]") {
    if (!whorl::test::allocations_are_counted()) SKIP("allocations cannot be counted here");
    const int threads = GENERATE(1, 2);
    for (const char* preset : {"mamba3", "mamba3-mimo", "mamba2", "gdn", "transformer", "hybrid"}) {
        INFO(preset << ", threads " << threads);
        TrainingConfig config = training(100, 40);
        config.curriculum = {
            CurriculumShape::linear, 10, 17, 1.0, {}, 0};  // the size grows, the padded length is 16 throughout
        Lab lab(replicas(), threads, config, preset);
        lab.trainer.step(2);  // threads are made, packing buffers grow to their size
        CHECK(whorl::test::fewest_allocations([&] { lab.trainer.step(6); }) == 0);
    }
}
