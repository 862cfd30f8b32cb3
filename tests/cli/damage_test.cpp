// Runs whose files were edited, damaged, lost or replaced: each command says so, and loses nothing.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/config/value.hpp"
#include "core/io/run_directory.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/tiny_training.hpp"

using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

/// Refused in one line, which holds `part`.
void check_refused(const std::string& arguments, const std::string& part) {
    const Outcome outcome = run_command("timeout 60 " + program() + " " + arguments);
    INFO(arguments << "\n" << outcome.err);
    CHECK(outcome.status == 2);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK_THAT(outcome.err, ContainsSubstring(part));
    CHECK(outcome.out.empty());
}

void replace(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = slurp(file);
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    spill(file, text.replace(at, from.size(), to));
}

std::size_t notes_in(const std::string& json) {
    const whorl::Document document = whorl::parse_json(json, "json");
    const whorl::Value* notes = whorl::find(document.root, "notes");
    return notes ? std::get<whorl::Array>(notes->data).size() : 99;
}

/// All files of a run, one after the other.
std::string content(const std::string& run) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(run))
        if (entry.is_regular_file()) files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    std::string all;
    for (const std::string& file : files) all += file + "\n" + slurp(file);
    return all;
}

}  // namespace

TEST_CASE("a config that was edited after the run began is refused with its keys", "[cli][run]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", config = run + "/config.toml";
    REQUIRE(run_whorl(kTiny + "--out " + run).status == 0);
    const std::string original = slurp(config);
    std::ofstream(config, std::ios::app) << "# a remark changes nothing\n";
    CHECK(run_whorl("report " + run).status == 0);
    CHECK(run_whorl("train --resume --out " + run).status == 0);
    replace(config, "batch = 4\n", "batch = 5\n");
    replace(config, "steps = 30\n", "steps = 40\n");
    const std::string before = content(run);
    for (const std::string command : {"train --resume --out ", "report ", "report --format json ", "eval "})
        check_refused(command + run, config + ": was changed after the run began");
    check_refused("train --resume --out " + run, "steps: 30 there, 40 here; batch: 4 there, 5 here");
    check_refused(kTiny + "--set steps=40 --set batch=5 --resume --out " + run, "batch: 4 there, 5 here");
    check_refused("trace " + run + " --replica 0 --text '0 1' --out " + (folder / "t.csv"), "batch: 4 there, 5 here");
    CHECK(content(run) == before);
    spill(config, original);
    CHECK(run_whorl("report " + run).status == 0);
}

TEST_CASE("a damaged newest checkpoint is named and without an intact one nothing begins anew", "[cli][run]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", checkpoints = run + "/checkpoints/";
    REQUIRE(run_whorl(kTiny + "--out " + run).status == 0);
    CHECK(notes_in(run_whorl("eval " + run + " --json").out) == 0);
    spill(checkpoints + "step-30/model.safetensors", "damaged");
    for (const std::string command :
         {"eval --json ", "report --format json ", "decode --json --replica 0 --tokens 0 "}) {
        const Outcome outcome = run_whorl(command + run);
        INFO(command << outcome.err);
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.err, ContainsSubstring("step-30/model.safetensors: damaged"));
        CHECK(notes_in(outcome.out) == 1);
    }
    CHECK_THAT(run_whorl("eval " + run).out, ContainsSubstring("step 27"));
    for (const char* step : {"step-18", "step-27"}) fs::rename(checkpoints + step, folder / step);
    for (const std::string command : {"eval ", "decode --tokens 0 --replica best "})  // 9: before any validation
        check_refused(command + run, "step-30/model.safetensors: damaged");
    for (const char* step : {"step-18", "step-27"}) fs::rename(folder / step, checkpoints + step);
    for (const char* step : {"step-9", "step-18", "step-27"}) fs::remove(checkpoints + step + "/checksums.json");
    const std::string before = content(run);
    for (const std::string command : {"train --resume --out ", "eval ", "decode --replica 0 --tokens 0 "}) {
        check_refused(command + run, "no checkpoint of the run is intact");
        check_refused(command + run, "train anew: whorl train " + run + "/config.toml");
    }
    CHECK(notes_in(run_whorl("report --format json " + run).out) == 4);
    CHECK(content(run) == before);
    fs::remove_all(checkpoints);
    check_refused("train --resume --out " + run, "the run was at step 30, but has no checkpoint");
}

TEST_CASE("a run's file that is a pipe or a folder or of another kind is refused at once", "[cli][run]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    REQUIRE(run_whorl(kTiny + "--out " + run).status == 0);
    for (const std::string file : {"manifest.json", "metrics.jsonl"}) {
        const std::string path = run + "/" + file, aside = folder / "aside";
        fs::rename(path, aside);
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        check_refused("report " + run, path + ": is not a regular file");
        check_refused("train --resume --out " + run, path + ": is not a regular file");
        fs::remove(path);
        fs::create_symlink("/dev/zero", path);
        check_refused("report " + run, path + ": is not a regular file");
        fs::remove(path);
        fs::create_directory(path);
        check_refused("report " + run, path + ": is a folder, expected a file");
        fs::remove(path);
        fs::rename(aside, path);
    }
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    for (const std::string command :
         {"train ", "sweep ", "check ", "logits --out x.safetensors --tokens 0 ", "decode --tokens 0 ", "verify "})
        check_refused(command + (folder / "pipe"), "is not a regular file");
    fs::remove(run + "/checkpoints/step-30/state.json");
    REQUIRE(::mkfifo((run + "/checkpoints/step-30/state.json").c_str(), 0600) == 0);
    const Outcome evaluated = run_command("timeout 60 " + program() + " eval " + run);
    CHECK(evaluated.status == 0);
    CHECK_THAT(evaluated.err, ContainsSubstring("step-30/state.json: is not a regular file"));
}

TEST_CASE("a row of the metrics without its arrays is refused with its line", "[cli][run]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", metrics = run + "/metrics.jsonl";
    REQUIRE(run_whorl(kTiny + "--out " + run).status == 0);
    const std::string rows = slurp(metrics);
    const std::string line = std::to_string(std::count(rows.begin(), rows.end(), '\n') + 1);
    std::ofstream(metrics, std::ios::app) << "{\"kind\":\"validation\",\"step\":30,\"count\":16,\"sizes\":[8]}\n";
    check_refused("report " + run, metrics + ":" + line + ": accuracy: required key is missing");
    check_refused("train --resume --out " + run, metrics + ":" + line + ": accuracy: required key is missing");
}

TEST_CASE("lost rows of the last evaluations are written again", "[cli][run]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", metrics = run + "/metrics.jsonl";
    const Outcome trained = run_whorl(kTiny + "--out " + run);
    REQUIRE(trained.status == 0);
    const std::string rows = slurp(metrics), csv = run_whorl("report --format csv " + run).out;
    const std::size_t best = trained.out.find("best by validation"), end = trained.out.find('\n', best);
    for (const std::string& kept : {rows.substr(0, rows.find("{\"kind\":\"validation\"")), std::string()}) {
        spill(metrics, kept);
        const Outcome again = run_whorl("train --resume --out " + run);
        CHECK(again.status == 0);
        CHECK_THAT(again.out, ContainsSubstring(trained.out.substr(best, end - best)));
        CHECK(run_whorl("report --format csv " + run).out == csv);
    }
}

TEST_CASE("a manifest without the config is said to leave changes unnoticed", "[cli][run]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    REQUIRE(run_whorl(kTiny + "--out " + run).status == 0);
    replace(run + "/manifest.json", "\"config\"", "\"of another version\"");
    for (const std::string command : {"eval --json ", "report --format json "}) {
        const Outcome outcome = run_whorl(command + run);
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.err, ContainsSubstring("manifest.json: holds no copy of the run's config"));
        CHECK(notes_in(outcome.out) == 1);
    }
    CHECK_THAT(run_whorl("train --resume --out " + run).err, ContainsSubstring("holds no copy of the run's config"));
}

TEST_CASE("a run that ended before its first step has not begun and has lost nobody", "[cli][run]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", unbegun = folder / "unbegun";
    REQUIRE(run_whorl(kTiny + "--out " + run).status == 0);
    fs::create_directory(unbegun);
    fs::copy(run + "/config.toml", unbegun);
    const Outcome outcome = run_whorl("report " + unbegun);
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.out, ContainsSubstring("not begun, step 0 of 30, 3 of 3 replicas alive"));
    CHECK(run_whorl("train --resume --out " + unbegun).status == 0);
    CHECK(slurp(unbegun + "/metrics.jsonl") == slurp(run + "/metrics.jsonl"));
}

TEST_CASE("a run's name is one folder inside runs", "[cli][run]") {
    const TemporaryFolder folder;
    fs::create_directory(folder / "here");
    for (const std::string name : {"../x", "a/b", "/x", "..", ".hidden", ""}) {
        const Outcome outcome =
            run_command("cd " + (folder / "here") + " && " + program() + " " + kTiny + "--set 'name=\"" + name + "\"'");
        INFO(name << "\n" << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK_THAT(outcome.err, ContainsSubstring("--set name: names a folder"));
    }
    CHECK(folder.entries() == 1);
    CHECK(fs::is_empty(folder / "here"));
}
