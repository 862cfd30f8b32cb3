// A run with checkpoint.snapshots: its other bytes are those of one without, and interruptions leave no trace.
#include "app/run/manifest.hpp"
#include "app/run/session.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;

namespace {

RunSetup tiny(std::int64_t snapshots, const std::vector<std::string>& more = {}) {
    std::vector<std::string> set = {"steps=24",
                                    "batch=4",
                                    "model.d_model=16",
                                    "model.d_state=8",
                                    "log_every=7",
                                    "validation.every=8",
                                    "validation.sizes=[8]",
                                    "validation.count=16",
                                    "test.sizes=[8,12]",
                                    "test.count=16",
                                    "curriculum.end=12",
                                    "checkpoint.every=10",
                                    "checkpoint.keep=100",
                                    "replicas.seeds=2",
                                    "replicas.learning_rates=[0.004]"};
    set.push_back("checkpoint.snapshots=" + std::to_string(snapshots));
    set.insert(set.end(), more.begin(), more.end());
    return set_up(load_recipe("parity-quick", set));
}

/// Trains up to step `last` at least; 0: to the end.
RunDirectory train(const std::string& path, const RunSetup& setup, std::int64_t last = 0) {
    const auto processor = make_cpu_backend(1);
    std::int64_t step = 0;
    SessionHooks hooks;
    hooks.progress = [&](const Progress& progress) { step = progress.row.step; };
    hooks.stop = [&] { return last > 0 && step >= last; };
    RunDirectory run = open_or_create(path, setup);
    train_run(setup, run, *processor, hooks);
    return run;
}

std::vector<std::int64_t> steps_of(const RunDirectory& run) {
    std::vector<std::int64_t> steps;
    for (const SnapshotFile& file : run.snapshots()) steps.push_back(file.step);
    return steps;
}

}  // namespace

TEST_CASE("snapshots change no other byte of a run", "[run][snapshots]") {
    const TemporaryFolder folder;
    const RunDirectory without = train(folder / "a", tiny(0)), with = train(folder / "b", tiny(9));
    CHECK(slurp(without.metrics_path()) == slurp(with.metrics_path()));
    REQUIRE(without.checkpoints().size() == with.checkpoints().size());
    for (std::size_t i = 0; i < with.checkpoints().size(); ++i)
        CHECK(slurp(without.checkpoints()[i].checksums_path()) == slurp(with.checkpoints()[i].checksums_path()));
    CHECK(without.snapshots().empty());
    CHECK_FALSE(std::filesystem::exists(without.snapshots_path()));
    CHECK(steps_of(with).size() == 9);
    // The last one is the last checkpoint's model, to the byte.
    CHECK(steps_of(with).back() == 24);
    CHECK(slurp(with.snapshots().back().path) == slurp(with.checkpoints().back().model_path()));
    CHECK_THAT(slurp(with.manifest_path()), ContainsSubstring("\"snapshots\": 9,"));
}

TEST_CASE("an interrupted run keeps the snapshots of one that was not", "[run][snapshots]") {
    const TemporaryFolder folder;
    const RunSetup setup = tiny(9);
    const RunDirectory whole = train(folder / "whole", setup);
    train(folder / "cut", setup, 3);
    train(folder / "cut", setup, 13);
    // Of a process that was killed behind its last checkpoint.
    spill(folder / "cut/snapshots/step-15.safetensors", "no such moment");
    spill(folder / "cut/snapshots/step-24.safetensors", "not of this training");
    const RunDirectory cut = train(folder / "cut", setup);
    CHECK(steps_of(cut) == steps_of(whole));
    for (std::size_t i = 0; i < cut.snapshots().size(); ++i)
        CHECK(slurp(cut.snapshots()[i].path) == slurp(whole.snapshots()[i].path));
}

TEST_CASE("a training that ends early keeps its end", "[run][snapshots]") {
    const TemporaryFolder folder;
    const RunDirectory run = train(folder / "run", tiny(4, {"early_stop.accuracy=0.01", "early_stop.validations=2"}));
    CHECK(steps_of(run) == std::vector<std::int64_t>{0, 11, 12, 16});  // of 0, 11, 12 and 24, and where it ended
}

TEST_CASE("a number of snapshots that makes no sense is refused", "[run][snapshots]") {
    const auto refusal = [](const std::string& value) {
        return message_of<UserError>([&] { set_up(load_recipe("parity-quick", {"checkpoint.snapshots=" + value})); });
    };
    CHECK_THAT(refusal("-1"), ContainsSubstring("checkpoint.snapshots"));
    CHECK_THAT(refusal("10001"), ContainsSubstring("10000"));
    CHECK_THAT(refusal("1.5"), ContainsSubstring("expected an integer"));
    CHECK_THAT(refusal("many"), ContainsSubstring("expected an integer"));
}
