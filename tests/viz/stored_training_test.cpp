// A run on disk is gone back through: the moments that it kept, the models at them, and a run under way.
#include <chrono>
#include <thread>

#include "app/run/session.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/io/checkpoint_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/viz/figure_marks.hpp"
#include "viz/data/kept_moments.hpp"
#include "viz/desk/desk.hpp"
#include "viz/desk/followed_run.hpp"
#include "viz/paint/figure_csv.hpp"

using namespace whorl;
using namespace whorl::test;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;

namespace {

RunSetup tiny(std::int64_t snapshots) {
    return set_up(
        load_recipe("parity-quick",
                    {"steps=24", "batch=4", "model.d_model=16", "model.d_state=8", "log_every=6", "validation.every=8",
                     "validation.sizes=[8]", "validation.count=16", "test.sizes=[8,12]", "test.count=16",
                     "curriculum.end=12", "checkpoint.every=8", "checkpoint.keep=100", "replicas.seeds=2",
                     "replicas.learning_rates=[0.004]", "checkpoint.snapshots=" + std::to_string(snapshots)}));
}

/// Trains up to step `last` at least; 0: to the end.
void train(const std::string& path, const RunSetup& setup, std::int64_t last = 0) {
    const auto processor = make_cpu_backend(1);
    std::int64_t step = 0;
    SessionHooks hooks;
    hooks.progress = [&](const Progress& progress) { step = progress.row.step; };
    hooks.stop = [&] { return last > 0 && step >= last; };
    const RunDirectory run = open_or_create(path, setup);
    train_run(setup, run, *processor, hooks);
}

/// Looks at the newest snapshot until `holds`, for ten seconds at most.
template <class Holds>
std::shared_ptr<const LiveSnapshot> wait_until(const FollowedRun& run, const Holds& holds) {
    for (int i = 0; i < 500; ++i) {
        if (const auto now = run.newest(); holds(*now)) return now;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw std::runtime_error("that did not happen");
}

}  // namespace

TEST_CASE("the moments of a stored run are its snapshots, else its checkpoints, and that is said",
          "[viz][training][snapshots]") {
    const TemporaryFolder folder;
    train(folder / "with", tiny(9));
    train(folder / "without", tiny(0));
    const StoredTraining with = load_stored_training(folder / "with", 1),
                         without = load_stored_training(folder / "without", 1);
    const auto files = RunDirectory::open(folder / "with").snapshots();
    REQUIRE(with.moments.at.size() == 9);
    for (std::size_t i = 0; i < 9; ++i) {
        CHECK(with.moments.at[i].step == files[i].step);
        CHECK(with.moments.at[i].slice == load_model(files[i].path, {1, false}).slice);
    }
    CHECK(with.data.note.empty());
    CHECK(with.data.turns->steps.size() == 9);
    CHECK(with.status == "finished");
    CHECK(with.step == 24);
    REQUIRE(without.moments.at.size() == 3);
    CHECK(without.data.note == "no snapshots were kept (checkpoint.snapshots), but 3 checkpoints");
    CHECK_THAT(training_figure(without.data).subtitle, ContainsSubstring(without.data.note));
    // Both trained the same.
    CHECK(with.data.loss == without.data.loss);
    CHECK(with.moments.at.back().slice == without.moments.at.back().slice);
    // What was read before is taken over.
    StoredTraining before = with;
    before.moments.at[4].slice.assign(3, 0.5);
    CHECK(load_stored_training(folder / "with", 1, {}, &before).moments.at[4].slice == std::vector<double>(3, 0.5));
    CHECK(load_stored_training(folder / "with", 0, {}, &before).moments.at[4].slice.size() > 3);
}

TEST_CASE("views of a stored run follow the moment that is looked at", "[viz][desk][snapshots]") {
    const TemporaryFolder folder;
    train(folder / "run", tiny(9));
    const auto files = RunDirectory::open(folder / "run").snapshots();
    Desk desk;
    ViewState state;
    state.view = "dials";
    state.models = {folder / "run@1"};
    std::vector<std::int64_t> steps;
    for (const SnapshotFile& file : files) steps.push_back(file.step);
    CHECK(desk.moment_steps(state) == steps);
    const std::string last = plot::figure_csv(desk.figure(state));
    state.moment = files[3].step + (files[4].step > files[3].step + 1 ? 1 : 0);  // none is kept in between
    const std::string early = plot::figure_csv(desk.figure(state));
    CHECK(early != last);
    ViewState direct = state;
    direct.models = {files[3].path + "@1"};
    direct.moment = -1;
    CHECK(early == plot::figure_csv(desk.figure(direct)));
    state.moment = 1000;
    CHECK(plot::figure_csv(desk.figure(state)) == last);
    state.view = "train";
    state.moment = files[3].step;
    CHECK(mark_of<plot::Rule>(panel_of(desk.figure(state), "loss"), "moment").at == static_cast<double>(files[3].step));
    CHECK(desk.moments()->at.size() == 9);
}

TEST_CASE("the best replica of a snapshot is that of the run's last validation", "[viz][snapshots]") {
    const TemporaryFolder folder;
    train(folder / "run", tiny(9));
    const std::int64_t best = load_model(folder / "run", replica_choice("best")).replica;
    const ShownModel shown = load_moment(folder / "run", 0);
    CHECK(shown.exhibit.slice ==
          load_model(RunDirectory::open(folder / "run").snapshots()[0].path, {best, false}).slice);
    CHECK_THAT(shown.exhibit.about, ContainsSubstring("step 0"));
    CHECK(shown.trained_size == 12);
    CHECK(shown.exhibit.task.has_value());
}

TEST_CASE("a run under way is read again as it grows", "[viz][training][snapshots]") {
    const TemporaryFolder folder;
    const RunSetup setup = tiny(9);
    const std::string path = folder / "run";
    RunDirectory::create(path, setup.toml());
    const FollowedRun run(path + "@1");
    run.wait();
    CHECK(run.newest()->failure.empty());
    CHECK(run.newest()->data == nullptr);
    CHECK(run.newest()->steps == 24);
    train(path, setup, 7);
    const auto begun = wait_until(run, [](const LiveSnapshot& now) { return now.data != nullptr && now.moments; });
    CHECK(begun->data->loss_steps == std::vector<std::int64_t>{6});
    CHECK(begun->data->steps == 24);
    CHECK_FALSE(begun->finished);
    train(path, setup);
    const auto done = wait_until(run, [](const LiveSnapshot& now) { return now.finished; });
    CHECK(done->data->loss_steps.back() == 24);
    CHECK(done->moments->at.size() == 9);
    CHECK(done->status == "finished");
}

TEST_CASE("what cannot be followed says why", "[viz][training]") {
    const TemporaryFolder folder;
    const FollowedRun none(folder / "none");
    none.wait();
    CHECK_THAT(none.newest()->failure, ContainsSubstring("none"));
    train(folder / "run", tiny(0));
    const FollowedRun ninth(folder / "run@9");
    ninth.wait();
    CHECK_THAT(ninth.newest()->failure, ContainsSubstring("there are replicas 0..1"));
    CHECK_FALSE(is_run(folder / "run/checkpoints"));
    CHECK(is_run(folder / "run@9"));
    spill(folder / "odd@name", "");
    CHECK(source_name(folder / "odd@name").replica.empty());
}
