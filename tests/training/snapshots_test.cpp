// Moments of a training that are kept: which, how many, and what the files hold.
#include "core/training/snapshots.hpp"

#include <filesystem>

#include "core/io/checkpoint_file.hpp"
#include "core/training/timeline.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/small_population.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace small;
namespace fs = std::filesystem;

namespace {

const CheckpointLabel kLabel{"run", "parity", 1};

std::vector<std::int64_t> steps_of(const RunDirectory& run) {
    std::vector<std::int64_t> steps;
    for (const SnapshotFile& file : run.snapshots()) steps.push_back(file.step);
    return steps;
}

std::int64_t bytes_of(const RunDirectory& run) {
    std::int64_t bytes = 0;
    for (const SnapshotFile& file : run.snapshots()) bytes += static_cast<std::int64_t>(fs::file_size(file.path));
    return bytes;
}

void train(Lab& lab, Snapshots& snapshots, std::int64_t steps) {
    for (std::int64_t step = 0; step < steps; ++step) {
        lab.trainer.step();
        snapshots.follow();
    }
}

}  // namespace

TEST_CASE("half of the moments are even and half are early", "[training][snapshots]") {
    for (const std::int64_t most : {2, 3, 7, 50, 200, 1000}) {
        INFO("at most " << most);
        const auto steps = snapshot_steps(20000, most);
        const auto due = steps_due(20000);
        std::int64_t even = 0, early = 0;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (i > 0) REQUIRE(steps[i] > steps[i - 1]);
            const bool is_even = steps[i] > 0 && steps[i] * ((most + 1) / 2) % 20000 < (most + 1) / 2;
            even += is_even ? 1 : 0;
            early += std::binary_search(due.begin(), due.end(), steps[i]) && !is_even ? 1 : 0;
        }
        CHECK(static_cast<std::int64_t>(steps.size()) == std::min<std::int64_t>(most, even + early));
        CHECK(even == (most + 1) / 2);
        CHECK(steps.front() == 0);
        CHECK(steps.back() == 20000);
        if (most <= 200) CHECK(static_cast<std::int64_t>(steps.size()) == most);
    }
}

TEST_CASE("moments of short trainings are all their steps", "[training][snapshots]") {
    CHECK(snapshot_steps(5, 200) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
    CHECK(snapshot_steps(1, 2) == std::vector<std::int64_t>{0, 1});
    CHECK(snapshot_steps(100, 1) == std::vector<std::int64_t>{100});
    CHECK(snapshot_steps(100, 0).empty());
    CHECK(snapshot_steps(1'000'000'000, 10000).back() == 1'000'000'000);
}

TEST_CASE("due steps are those of a timeline's frames", "[training][snapshots]") {
    Timeline timeline({0}, {1000, 1 << 20});
    for (std::int64_t step = 0; step <= 3000; ++step) timeline.add({step, {0}});
    const auto due = steps_due(3000);
    REQUIRE(due.size() == timeline.frames().size());
    for (std::size_t i = 0; i < due.size(); ++i) CHECK(due[i] == timeline.frames()[i].step);
}

TEST_CASE("a snapshot holds what the trainer held and changes no bit", "[training][snapshots]") {
    Lab alone, kept;
    alone.trainer.step(12);
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    Snapshots snapshots(run, kept.trainer, 12, 100, kLabel);
    snapshots.begin();
    train(kept, snapshots, 7);
    const std::vector<float> then = kept.trainer.parameters(2);
    train(kept, snapshots, 5);
    CHECK(same_bits(alone.trainer.snapshot().values, kept.trainer.snapshot().values));
    REQUIRE(steps_of(run).size() == 13);
    CHECK(snapshots.note().empty());
    // It is a model file like any other.
    const LoadedModel model = load_model(run.snapshots()[7].path, {2, false});
    CHECK(model.replicas == 3);
    CHECK(same_bits(std::vector<float>(model.slice.begin(), model.slice.end()), then));
}

TEST_CASE("a process that goes on keeps the moments of one that never stopped", "[training][snapshots]") {
    const TemporaryFolder folder;
    const RunDirectory whole = RunDirectory::create(folder / "whole", ""),
                       cut = RunDirectory::create(folder / "cut", "");
    Lab one, before, after;
    Snapshots all(whole, one.trainer, 12, 7, kLabel);
    all.begin();
    train(one, all, 12);
    TrainerSnapshot checkpoint;
    {
        Snapshots snapshots(cut, before.trainer, 12, 7, kLabel);
        snapshots.begin();
        train(before, snapshots, 5);
        checkpoint = before.trainer.snapshot();
        train(before, snapshots, 6);  // of these nothing remains
    }
    spill(cut.snapshots_path() + "/.step-11.safetensors.tmp-1-0", "half");
    after.trainer.restore(checkpoint);
    Snapshots snapshots(cut, after.trainer, 12, 7, kLabel);
    snapshots.begin();
    for (const std::int64_t step : steps_of(cut)) CHECK(step <= 5);
    train(after, snapshots, 7);
    CHECK(steps_of(cut) == steps_of(whole));
    for (const SnapshotFile& file : whole.snapshots())
        CHECK(slurp(file.path) == slurp(snapshot_path(cut.snapshots_path(), file.step)));
    for (const auto& entry : fs::directory_iterator(cut.snapshots_path()))
        CHECK(entry.path().filename().string().front() != '.');
}

TEST_CASE("moments that the bytes do not hold are left out and named", "[training][snapshots]") {
    const std::int64_t each = snapshot_bytes(model(), 3, kLabel);
    const TemporaryFolder folder;
    for (const std::int64_t fit : {0, 1, 5}) {
        Lab lab;
        const RunDirectory run = RunDirectory::create(folder / std::to_string(fit), "");
        Snapshots snapshots(run, lab.trainer, 12, 100, kLabel, fit * each + each / 2);
        snapshots.begin();
        train(lab, snapshots, 12);
        CHECK(snapshots.moments() == fit);
        CHECK(static_cast<std::int64_t>(run.snapshots().size()) == fit);
        CHECK(bytes_of(run) <= fit * each);
        if (fit == 0) CHECK_FALSE(fs::exists(run.snapshots_path()));
        const auto kept = steps_of(run);
        if (fit > 0) CHECK(kept.back() == 12);
        CHECK_THAT(snapshots.note(),
                   Catch::Matchers::ContainsSubstring("snapshots: " + std::to_string(fit) + " of 13 moments are kept"));
    }
}

TEST_CASE("a file of a moment takes hardly less than it is said to", "[training][snapshots]") {
    Lab lab;
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    Snapshots snapshots(run, lab.trainer, 12, 1, kLabel);
    train(lab, snapshots, 12);
    const std::int64_t said = snapshot_bytes(model(), 3, kLabel), is = bytes_of(run);
    CHECK(is <= said);
    CHECK(said - is < 16384);
    CHECK(is > 3 * lab.trainer.model().layout().count() * 4);
}

TEST_CASE("other files beside snapshots are left alone", "[training][snapshots]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "run", "");
    fs::create_directory(run.snapshots_path());
    for (const char* name : {"step-07.safetensors", "step-7.txt", "step-.safetensors", "notes", "step--1.safetensors"})
        spill(run.snapshots_path() + "/" + name, "");
    spill(run.snapshots_path() + "/step-7.safetensors", "");
    CHECK(steps_of(run) == std::vector<std::int64_t>{7});
    run.remove_snapshots_after(6);
    CHECK(std::distance(fs::directory_iterator(run.snapshots_path()), fs::directory_iterator{}) == 5);
}
