#include "core/io/run_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace whorl;
namespace fs = std::filesystem;

namespace {

// Content whose every number is `step`.
struct SampleContent {
    explicit SampleContent(std::int64_t step, std::size_t size = 1000) : values(size, static_cast<float>(step)) {
        const auto count = static_cast<std::int64_t>(size);
        content.model = {tensor_view<float>("weight", {count}, values)};
        content.optimizer = {tensor_view<float>("m", {count}, values), tensor_view<float>("v", {count}, values)};
        content.state_json = "{\"step\": " + std::to_string(step) + "}\n";
        content.metadata = {{"format", "test"}};
    }
    std::vector<float> values;
    CheckpointContent content;
};

CheckpointFiles save(const RunDirectory& run, std::int64_t step) {
    return run.save_checkpoint(step, SampleContent(step).content);
}

void damage(const std::string& path) {
    std::string text = slurp(path);
    text[text.size() / 2] ^= 1;
    spill(path, text);
}

std::vector<std::int64_t> steps(const RunDirectory& run) {
    std::vector<std::int64_t> result;
    for (const CheckpointFiles& checkpoint : run.checkpoints()) result.push_back(checkpoint.step);
    return result;
}

}  // namespace

TEST_CASE("a run is created once", "[io][run]") {
    const TemporaryFolder folder;
    const std::string path = folder / "runs/first";
    const RunDirectory run = RunDirectory::create(path, "seed = 1\n");
    CHECK(slurp(run.config_path()) == "seed = 1\n");
    CHECK(fs::is_directory(run.report_path()));
    run.write_manifest("{}\n");
    CHECK(slurp(run.manifest_path()) == "{}\n");
    CHECK_THAT(message_of<UserError>([&] { RunDirectory::create(path, ""); }),
               Catch::Matchers::ContainsSubstring("already holds a run"));
    CHECK(slurp(run.config_path()) == "seed = 1\n");
    CHECK(RunDirectory::open(path).path() == path);
}

TEST_CASE("folders that are no runs are left alone", "[io][run]") {
    const TemporaryFolder folder;
    CHECK_THAT(message_of<UserError>([&] { RunDirectory::open(folder.path()); }),
               Catch::Matchers::ContainsSubstring("holds no run"));
    CHECK(RunDirectory::create(folder / "new", "").path() == folder / "new");
    fs::create_directory(folder / "empty");
    CHECK_NOTHROW(RunDirectory::create(folder / "empty", ""));
    fs::create_directory(folder / "full");
    spill(folder / "full/thesis.txt", "years of work");
    CHECK_THAT(message_of<UserError>([&] { RunDirectory::create(folder / "full", ""); }),
               Catch::Matchers::ContainsSubstring("not an empty folder"));
    CHECK_THROWS_AS(RunDirectory::create(folder / "full/thesis.txt", ""), UserError);
    CHECK(slurp(folder / "full/thesis.txt") == "years of work");
}

TEST_CASE("metrics survive a half-written line", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    CHECK(run.read_metrics().empty());
    for (int step = 1; step <= 5; ++step) run.append_metrics("{\"step\": " + std::to_string(step) + "}");
    std::ofstream(run.metrics_path(), std::ios::app) << "{\"step\": 6, \"lo";
    CHECK(run.read_metrics().size() == 5);
    CHECK(run.read_metrics().back() == "{\"step\": 5}");

    SECTION("to a step") {
        run.truncate_metrics_after_step(3);
        run.append_metrics("{\"step\": 4, \"again\": true}");
        CHECK(run.read_metrics().size() == 4);
        CHECK(run.read_metrics().back() == "{\"step\": 4, \"again\": true}");
    }
    SECTION("a later step only drops the half line") {
        run.truncate_metrics_after_step(100);
        CHECK(slurp(run.metrics_path()).size() == 5 * std::string("{\"step\": 1}\n").size());
    }
    SECTION("to a number of lines") {
        run.truncate_metrics(2);
        CHECK(run.read_metrics().size() == 2);
        run.truncate_metrics(0);
        CHECK(slurp(run.metrics_path()).empty());
        CHECK_THAT(message_of<UserError>([&] { run.truncate_metrics(1); }),
                   Catch::Matchers::ContainsSubstring("has 0 lines"));
    }
}

TEST_CASE("metrics without a step are named", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    run.truncate_metrics(0);
    run.truncate_metrics_after_step(7);
    CHECK_FALSE(fs::exists(run.metrics_path()));
    run.append_metrics("{\"stop\": 1}");
    CHECK_THAT(message_of<UserError>([&] { run.truncate_metrics_after_step(3); }),
               Catch::Matchers::ContainsSubstring("metrics.jsonl:1: the line has no integer \"step\""));
}

TEST_CASE("checkpoints are saved, listed, found and pruned", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    CHECK(run.checkpoints().empty());
    CHECK_FALSE(run.newest_valid_checkpoint());
    for (const std::int64_t step : {9, 100, 20}) save(run, step);
    CHECK(steps(run) == std::vector<std::int64_t>{9, 20, 100});  // by number, not by name
    const CheckpointFiles newest = *run.newest_valid_checkpoint();
    CHECK(newest.step == 100);
    CHECK(newest.state_json() == "{\"step\": 100}\n");
    CHECK(SafetensorsFile::open(newest.model_path()).read_as<float>("weight") == std::vector<float>(1000, 100.0f));
    CHECK(SafetensorsFile::open(newest.optimizer_path()).metadata_at("format") == "test");
    run.prune_checkpoints(2);
    CHECK(steps(run) == std::vector<std::int64_t>{20, 100});
    run.prune_checkpoints(0);
    CHECK(steps(run).empty());
}

TEST_CASE("saving a step again replaces it", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    save(run, 5);
    run.save_checkpoint(5, SampleContent(6).content);
    CHECK(run.newest_valid_checkpoint()->state_json() == "{\"step\": 6}\n");
    CHECK(steps(run).size() == 1);
}

TEST_CASE("a damaged checkpoint does not count, and it is said why", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    save(run, 1);
    const CheckpointFiles two = save(run, 2);
    std::string expected;
    SECTION("model") {
        damage(two.model_path()), expected = "model.safetensors: damaged";
    }
    SECTION("optimizer") {
        damage(two.optimizer_path()), expected = "optimizer.safetensors: damaged";
    }
    SECTION("state") {
        damage(two.state_path()), expected = "state.json: damaged";
    }
    SECTION("a file is gone") {
        fs::remove(two.optimizer_path()), expected = "optimizer.safetensors: no such file";
    }
    SECTION("a file is short") {
        fs::resize_file(two.model_path(), 100), expected = "model.safetensors: damaged";
    }
    SECTION("checksums are empty") {
        spill(two.checksums_path(), ""), expected = "checksums.json: not valid JSON";
    }
    SECTION("checksums are gone") {
        fs::remove(two.checksums_path()), expected = "checksums.json: no such file";
    }
    SECTION("checksums lack a file") {
        spill(two.checksums_path(), "{\"xxh3_128\": {}}"), expected = "no checksum of model";
    }
    std::vector<std::string> skipped;
    CHECK(run.newest_valid_checkpoint(&skipped)->step == 1);
    REQUIRE(skipped.size() == 1);
    CHECK_THAT(skipped[0], Catch::Matchers::ContainsSubstring(expected));
    CHECK_THROWS_AS(open_checkpoint(two.folder), UserError);
}

TEST_CASE("whoever takes up a run learns of damaged checkpoints", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    std::vector<std::string> notes;
    CHECK_FALSE(run.newest_checkpoint(notes));
    const CheckpointFiles one = save(run, 1), two = save(run, 2);
    damage(two.state_path());
    CHECK(run.newest_checkpoint(notes)->step == 1);
    REQUIRE(notes.size() == 1);
    CHECK_THAT(notes[0], Catch::Matchers::ContainsSubstring("step-2/state.json: damaged") &&
                             Catch::Matchers::ContainsSubstring("an earlier checkpoint is used"));
    damage(one.model_path());
    CHECK_THAT(message_of<UserError>([&] { run.newest_checkpoint(notes); }),
               Catch::Matchers::ContainsSubstring("no checkpoint of the run is intact") &&
                   Catch::Matchers::ContainsSubstring("train anew"));
    // The run went on from an earlier one: the damaged one takes no place of those that follow.
    save(run, 0);
    save(run, 1);
    run.prune_checkpoints(1, 1);
    CHECK(steps(run) == std::vector<std::int64_t>{1, 2});
    CHECK(run.newest_checkpoint(notes)->step == 1);
}

TEST_CASE("a folder that another process is making a run of is left as it is", "[io][run]") {
    const TemporaryFolder folder;
    spill(folder / ".config.toml.tmp-1-0", "being written");
    {
        const Descriptor other(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        REQUIRE(::flock(other.number(), LOCK_EX | LOCK_NB) == 0);
        CHECK_THAT(message_of<UserError>([&] { RunDirectory::create(folder.path(), ""); }),
                   Catch::Matchers::ContainsSubstring("another process"));
        CHECK(slurp(folder / ".config.toml.tmp-1-0") == "being written");
        CHECK(folder.entries() == 1);
    }
    RunDirectory run = RunDirectory::create(folder.path(), "");  // what a killed process left is no obstacle
    run.hold();                                                  // it holds it already
    CHECK_THROWS_AS(RunDirectory::open(folder.path()).hold(), UserError);
}

TEST_CASE("nothing is written where a run's folder was before it went away", "[io][run]") {
    const TemporaryFolder folder;
    const std::string path = folder / "r", elsewhere = folder / "elsewhere";
    const RunDirectory run = RunDirectory::create(path, "");
    run.append_metrics("{\"step\": 1}");
    CHECK_NOTHROW(run.check_in_place());
    SECTION("renamed") {
        fs::rename(path, elsewhere);
    }
    SECTION("replaced by another run") {
        fs::rename(path, elsewhere);
        RunDirectory::create(path, "other");
    }
    SECTION("removed") {
        fs::rename(path, elsewhere);
        fs::remove_all(elsewhere);
    }
    SECTION("emptied") {
        fs::remove_all(run.checkpoints_path());
        fs::remove(run.config_path());
    }
    const bool other = fs::exists(path);
    const auto entries = [&] { return other ? std::distance(fs::recursive_directory_iterator(path), {}) : 0; };
    const auto before = entries();
    CHECK_THROWS_AS(run.check_in_place(), RuntimeFailure);
    CHECK_THROWS_AS(run.append_metrics("{\"step\": 2}"), RuntimeFailure);
    CHECK_THROWS_AS(save(run, 2), RuntimeFailure);
    CHECK_THROWS_AS(run.write_manifest("{}"), RuntimeFailure);
    CHECK_THROWS_AS(run.prune_checkpoints(0), RuntimeFailure);
    CHECK_THROWS_AS(run.truncate_metrics_after_step(0), RuntimeFailure);
    CHECK(fs::exists(path) == other);
    CHECK(entries() == before);
}

TEST_CASE("metrics that are no regular file are neither read nor written", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    REQUIRE(::mkfifo(run.metrics_path().c_str(), 0600) == 0);
    CHECK_THROWS_AS(run.read_metrics(), UserError);
    CHECK_THROWS_AS(run.append_metrics("{}"), UserError);
    CHECK_THROWS_AS(run.sync_metrics(), UserError);
}

TEST_CASE("folders that are no checkpoints are not listed", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    for (const char* name :
         {"step-", "step--1", "step-01", "step-1x", "step-99999999999999999999", "other", ".tmp-step-3"}) {
        fs::create_directory(run.checkpoints_path() + "/" + name);
        spill(run.checkpoints_path() + "/" + name + "/checksums.json", "{}");
    }
    CHECK(run.checkpoints().empty());
    run.prune_checkpoints(0);
    CHECK_FALSE(fs::exists(run.checkpoints_path() + "/.tmp-step-3"));
    CHECK(fs::exists(run.checkpoints_path() + "/other"));
}

TEST_CASE("a checkpoint opens by its folder", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    const CheckpointFiles saved = save(run, 12);
    CHECK(open_checkpoint(saved.folder).step == 12);
    CHECK(open_checkpoint(saved.folder + "/").folder == saved.folder);
    CHECK_THAT(message_of<UserError>([&] { open_checkpoint(folder / "r"); }),
               Catch::Matchers::ContainsSubstring("expected a folder named step-N"));
    CHECK_THAT(message_of<UserError>([&] { open_checkpoint(folder / "step-3"); }),
               Catch::Matchers::ContainsSubstring("no such file"));
}

TEST_CASE("a failing write leaves the checkpoints as they were", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    save(run, 1);
    SampleContent bad(2);
    bad.content.optimizer[1].name = "m";  // a repeated name
    CHECK_THROWS_AS(run.save_checkpoint(2, bad.content), std::invalid_argument);
    CHECK(std::distance(fs::directory_iterator(run.checkpoints_path()), {}) == 1);
    CHECK(run.newest_valid_checkpoint()->step == 1);
}

TEST_CASE("a run killed at any moment keeps a valid checkpoint", "[io][run]") {
    const TemporaryFolder folder;
    const RunDirectory run = RunDirectory::create(folder / "r", "");
    save(run, 1);
    for (int delay = 0; delay < 30; ++delay) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            const SampleContent sample(2, 100000);
            for (std::int64_t step = 2;; ++step) {
                run.append_metrics("{\"step\": " + std::to_string(step) + "}");
                run.save_checkpoint(step % 4 + 2, sample.content);
            }
        }
        ::usleep(static_cast<useconds_t>(500 * delay));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        std::vector<std::string> skipped;
        REQUIRE(run.newest_valid_checkpoint(&skipped).has_value());
        CHECK(skipped.empty());  // what counts is whole
        CHECK_NOTHROW(run.truncate_metrics_after_step(1000000));
    }
}
