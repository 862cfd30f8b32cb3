// A desk beside the window: its answers are the desk's, none holds up who asks, and what is live is never old.
#include "viz/desk/desk_worker.hpp"

#include <atomic>
#include <chrono>

#include "tests/support/catch.hpp"

using namespace whorl;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double kLong = 60;

ViewState view_named(const char* name) {
    ViewState state;
    state.view = name;
    return state;
}

TrainingData training(std::vector<double> losses) {
    TrainingData data;
    data.name = "Mamba-3";
    data.chosen_name = "seed 0";
    for (std::size_t i = 0; i < losses.size(); ++i) data.loss_steps.push_back(static_cast<std::int64_t>(i + 1));
    data.loss = {std::move(losses)};
    return data;
}

}  // namespace

TEST_CASE("a worker answers as the desk does", "[viz][worker]") {
    std::atomic<int> news = 0;
    DeskWorker worker([&] { ++news; });
    Desk desk;
    for (const char* view : {"start", "error", "ledger"}) {
        const auto answer = worker.answer(view_named(view), kLong);
        REQUIRE(answer);
        REQUIRE(answer->figure);
        CHECK(answer->figure->claim == desk.figure(view_named(view)).claim);
    }
    CHECK(worker.answer(view_named("ledger"), 0) != nullptr);  // remembered
    ViewState dark = view_named("ledger");
    dark.theme = "dark";
    CHECK(worker.answer(dark, 0) == worker.answer(view_named("ledger"), 0));
    CHECK(news >= 2);
}

TEST_CASE("a worker says why there is no figure", "[viz][worker]") {
    DeskWorker worker;
    ViewState state = view_named("ledger");
    state.models = {"parity-gdn"};
    const auto answer = worker.answer(state, kLong);
    REQUIRE(answer);
    CHECK(answer->figure == nullptr);
    CHECK_FALSE(answer->failure.empty());
}

TEST_CASE("nobody waits for a long text", "[viz][worker]") {
    DeskWorker worker;
    ViewState state = view_named("ledger");
    state.text = "size:4000";
    const auto begin = std::chrono::steady_clock::now();
    CHECK(worker.answer(state, 0) == nullptr);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(50));
    CHECK(worker.answer(view_named("error"), kLong) != nullptr);
    CHECK(worker.answer(state, kLong) != nullptr);
}

TEST_CASE("a training's figure follows the training", "[viz][worker]") {
    DeskWorker worker;
    const ViewState state = view_named("train");
    CHECK_THAT(worker.answer(state, kLong)->failure, ContainsSubstring("Nothing is trained yet"));
    const auto points = [&] {
        const auto answer = worker.answer(state, kLong);
        REQUIRE(answer->figure);
        for (const plot::Mark& mark : answer->figure->panels.at(0).marks)
            if (plot::id_of(mark) == "chosen") return std::get<plot::Line>(mark).points.size();
        return std::size_t{0};
    };
    worker.show_training(std::make_shared<const TrainingData>(training({1, 0.5})), nullptr);
    CHECK(points() == 2);
    worker.show_training(std::make_shared<const TrainingData>(training({1, 0.5, 0.2})), nullptr);
    CHECK(points() == 3);
}

TEST_CASE("a view that there is not is a failure like any other", "[viz][worker]") {
    DeskWorker worker;
    const auto answer = worker.answer(view_named("legder"), kLong);
    REQUIRE(answer);
    CHECK_THAT(answer->failure, ContainsSubstring("did you mean 'ledger'"));
}
