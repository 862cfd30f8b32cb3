// Nothing is allocated inside a training step or a decoding step.
#include <thread>
#include <vector>

#include "core/backend/factories.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/model_run.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

/// Allocations of `work` alone; those of the test's own checks stay outside.
template <class Work>
long allocations_of(const Work& work) {
    const AllocationCount count;
    work();
    return count.total();
}

}  // namespace

TEST_CASE("the allocation counter sees operator new, malloc and other threads", "[cpu][allocation]") {
    if (!allocations_are_counted()) SKIP("allocations cannot be counted here");
    std::vector<double> numbers;
    void* volatile block = nullptr;  // or the compiler leaves malloc and free out
    const long own = allocations_of([&] {
        numbers.resize(100);
        block = std::malloc(100);
    });
    std::free(block);
    CHECK(own == 2);
    const long others = allocations_of([&] { std::thread([&] { numbers.resize(1000); }).join(); });
    CHECK(others >= 2);  // the thread's own, and the vector's
}

TEST_CASE("a training step of any preset allocates nothing", "[cpu][allocation]") {
    if (!allocations_are_counted()) SKIP("allocations cannot be counted here");
    const auto backend = make_cpu_backend(2);
    for (const ModelPreset& preset : model_presets())
        for (const DType dtype : {DType::f32, DType::f64}) {
            ModelRun run(small_preset(preset.name), *backend, dtype, {2, 5, 33, 9});
            run.train_step();  // warm-up: the OpenMP runtime starts its threads
            const long seen = allocations_of([&] { run.train_step(); });
            INFO(preset.name);
            CHECK(seen == 0);
        }
}

TEST_CASE("a training step with products of realistic size allocates nothing", "[cpu][allocation]") {
    // Matrix products pack their operands into buffers that grow with the sizes; d_model 128, L 160, B 64 reaches the
    // largest.
    if (!allocations_are_counted()) SKIP("allocations cannot be counted here");
    const auto backend = make_cpu_backend(2);
    PresetSize size;
    size.d_model = 128;
    ModelRun(model_preset("mamba2").make(size), *backend, DType::f32, {1, 2, 8, 2}).train_step();  // warm-up
    for (const ModelPreset& preset : model_presets()) {
        const bool largest = preset.name == "mamba3" || preset.name == "transformer" || preset.name == "gdn";
        ModelRun run(preset.make(size), *backend, DType::f32, {1, largest ? 64 : 8, 160, 64});
        const long seen = allocations_of([&] { run.train_step(); });
        INFO(preset.name);
        CHECK(seen == 0);
    }
}

TEST_CASE("a decoding step of any preset allocates nothing", "[cpu][allocation]") {
    if (!allocations_are_counted()) SKIP("allocations cannot be counted here");
    const auto backend = make_cpu_backend(2);
    for (const ModelPreset& preset : model_presets()) {
        ModelRun weights(small_preset(preset.name), *backend, DType::f32, {2, 3, 4, 3});
        LanguageModel& model = weights.model;
        State state = model.make_state(2, 3, 16);
        model.bind({2, 3, 1, 3, false, 16});
        model.forward(weights.parameters, &state);
        const long seen = allocations_of([&] { model.forward(weights.parameters, &state); });
        INFO(preset.name);
        CHECK(seen == 0);
    }
}
