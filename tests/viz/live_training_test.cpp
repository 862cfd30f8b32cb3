// A training as an actor: it takes commands between steps, publishes what it has, and its bits are those of a training
// that nobody looks at.
#include "viz/desk/live_training.hpp"

#include <atomic>
#include <chrono>
#include <new>

#include "core/backend/factories.hpp"
#include "tests/support/catch.hpp"

using namespace whorl;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;
using namespace std::chrono_literals;

namespace {

LivePlan short_plan(int steps) {
    LivePlan plan;
    plan.set = {"steps=" + std::to_string(steps), "replicas.seeds=1", "replicas.learning_rates=[4e-3]", "batch=8",
                "test.sizes=[40]"};
    plan.rows = 5;
    plan.examples = 8;
    return plan;
}

/// False where it does not come true within a long time.
template <class Condition>
bool comes_true(const Condition& condition) {
    for (int i = 0; i < 4000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(5ms);
    }
    return false;
}

}  // namespace

TEST_CASE("a live training runs to its end and is the training that nobody watches", "[viz][live]") {
    std::atomic<int> news = 0;
    const LivePlan plan = short_plan(20);
    LiveTraining live(plan, [&] { ++news; });
    REQUIRE(comes_true([&] { return live.newest()->finished; }));
    const auto last = live.newest();
    CHECK(last->step == 20);
    CHECK(last->failure.empty());
    REQUIRE(last->data);
    CHECK(last->data->loss_steps == std::vector<std::int64_t>{4, 8, 12, 16, 20});
    CHECK(comes_true([&] { return news >= 6; }));  // Its reader is told after what it reads has changed.
    const RunSetup setup = set_up(load_recipe(plan.recipe, plan.set));
    const auto processor = make_cpu_backend(1);
    Watching watching;
    watching.rows = plan.rows;
    watching.examples = plan.examples;
    const TrainingData alone = watch_training(setup, *processor, watching);
    CHECK(alone.loss == last->data->loss);
    CHECK(alone.accuracy == last->data->accuracy);
}

TEST_CASE("a live training waits, takes one step, goes on and stops", "[viz][live]") {
    LiveTraining live(short_plan(100000));
    REQUIRE(comes_true([&] { return live.newest()->step > 3; }));
    live.wish(LiveWish::pause);
    CHECK(live.wanted() == LiveWish::pause);
    REQUIRE(comes_true([&] { return live.newest()->waits; }));
    const std::int64_t paused = live.newest()->step;
    std::this_thread::sleep_for(100ms);
    CHECK(live.newest()->step == paused);
    live.one_step();
    REQUIRE(comes_true([&] { return live.newest()->step == paused + 1; }));
    CHECK(live.newest()->waits);
    std::this_thread::sleep_for(50ms);
    CHECK(live.newest()->step == paused + 1);
    live.wish(LiveWish::play);
    REQUIRE(comes_true([&] { return live.newest()->step > paused + 3; }));
    live.wish(LiveWish::stop);
    REQUIRE(comes_true([&] { return !live.newest()->failure.empty(); }));
    CHECK(live.newest()->failure == "stopped");
    live.wish(LiveWish::play);
    CHECK(live.wanted() == LiveWish::stop);
}

TEST_CASE("a paused training can be left", "[viz][live]") {
    LiveTraining live(short_plan(100000));
    live.wish(LiveWish::pause);
}

TEST_CASE("what keeps a live training from beginning is told", "[viz][live]") {
    LivePlan plan;
    plan.recipe = "parity-quik";
    LiveTraining live(plan);
    REQUIRE(comes_true([&] { return !live.newest()->failure.empty(); }));
    CHECK_THAT(live.newest()->failure, ContainsSubstring("parity-quick"));
}

TEST_CASE("a lack of memory ends a live training and is said", "[viz][live]") {
    std::atomic<bool> lacking = true;
    LiveTraining live(short_plan(20), [&] {
        if (lacking.exchange(false)) throw std::bad_alloc();
    });
    REQUIRE(comes_true([&] { return !live.newest()->failure.empty(); }));
    CHECK_THAT(live.newest()->failure, ContainsSubstring("memory"));
    CHECK_FALSE(live.newest()->finished);
}
