// A whole run from the command line: train, interrupt, resume, evaluate, report.
#include <algorithm>
#include <csignal>
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

// Files of a run that must not depend on time or interruptions.
void check_same_run(const std::string& a, const std::string& b) {
    for (const char* file : {"config.toml", "metrics.jsonl", "checkpoints/step-30/model.safetensors",
                             "checkpoints/step-30/optimizer.safetensors", "checkpoints/step-30/state.json",
                             "checkpoints/step-30/checksums.json"}) {
        INFO(file);
        CHECK_FALSE(slurp(a + "/" + file).empty());
        CHECK(slurp(a + "/" + file) == slurp(b + "/" + file));
    }
}

}  // namespace

TEST_CASE("a precision that the device lacks is refused before anything is written", "[cli]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    const Outcome refused = run_whorl(kTiny + "--device cpu --set precision.matmul=tf32 --out " + run);
    CHECK(refused.status == 2);
    CHECK_THAT(refused.err, ContainsSubstring("precision.matmul"));
    CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
    CHECK_FALSE(fs::exists(run));
    CHECK(run_whorl(kTiny + "--device cpu --set precision.matmul=tf23 --out " + run).status == 2);
    const Outcome alone = run_whorl(kTiny + "--device cpu --set precision.storage=bf16 --out " + run);
    CHECK(alone.status == 2);
    CHECK_THAT(alone.err, ContainsSubstring("precision.storage") && ContainsSubstring("matmul"));
}

TEST_CASE("a run of before there was a precision goes on in float32", "[cli]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    REQUIRE(run_whorl(kTiny + "--device cpu --out " + run).status == 0);
    std::string config = slurp(run + "/config.toml");
    const std::size_t begin = config.find("[precision]");
    REQUIRE(begin != std::string::npos);
    config.erase(begin, config.find("\n[", begin) - begin);  // to the next section, or all that follows
    std::ofstream(run + "/config.toml") << config;
    fs::remove_all(run + "/checkpoints/step-30");
    const Outcome resumed = run_whorl("train --resume --device cpu --threads 1 --out " + run);
    INFO(resumed.err);
    CHECK(resumed.status == 0);
    CHECK_THAT(slurp(run + "/manifest.json"), ContainsSubstring("\"precision\": \"float32\""));
}

TEST_CASE("a run leaves all its files and can be evaluated", "[cli]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    const Outcome trained = run_whorl(kTiny + "--out " + run);
    INFO(trained.err);
    REQUIRE(trained.status == 0);
    CHECK_THAT(trained.out, ContainsSubstring("30 steps"));
    CHECK_THAT(slurp(run + "/manifest.json"), ContainsSubstring("\"status\": \"finished\""));
    CHECK_THAT(slurp(run + "/config.toml"), ContainsSubstring("[[model.config.layers]]"));
    CHECK(whorl::RunDirectory::open(run).checkpoints().size() == 4);  // 9, 18, 27, 30

    const Outcome evaluated = run_whorl("eval " + run + " --json");
    REQUIRE(evaluated.status == 0);
    const whorl::Document json = whorl::parse_json(evaluated.out, "eval");
    CHECK(std::get<whorl::Array>(whorl::find(json.root, "sizes")->data).size() == 2);
    // The same examples, hence the same accuracy as at the end of training.
    const Outcome all = run_whorl("eval " + run + " --replica all --json");
    const std::string accuracy =
        all.out.substr(all.out.find("\"accuracy\""), all.out.find("\"loss\"") - all.out.find("\"accuracy\""));
    CHECK_THAT(slurp(run + "/metrics.jsonl"), ContainsSubstring(accuracy));
    CHECK(run_whorl("eval " + run + "/checkpoints/step-9 --lengths 5,9 --replica 2").status == 0);
    CHECK(run_whorl("eval " + run + " --replica 3").status == 2);
    CHECK(run_whorl("eval " + run + " --lengths 8,x").status == 2);

    CHECK_THAT(run_whorl("report " + run).out, ContainsSubstring("| 12 |"));
    CHECK(run_whorl("report " + run + " --format json").status == 0);
    CHECK(whorl::parse_json(run_whorl("report " + run + " --format json").out, "report").root.data.index() > 0);

    // A second run does not overwrite the first; the resolved config is a recipe of its own.
    CHECK(run_whorl(kTiny + "--out " + run).status == 2);
    CHECK(run_whorl("train --resume --out " + run).status == 0);  // already complete
    CHECK(run_whorl("train " + run + "/config.toml --threads 2 --out " + (folder / "again")).status == 0);
    check_same_run(run, folder / "again");
}

TEST_CASE("Ctrl-C saves and says how to resume and the resumed run has the same bytes", "[cli]") {
    const TemporaryFolder folder;
    const std::string whole = folder / "whole", cut = folder / "cut";
    REQUIRE(run_whorl(kTiny + "--out " + whole).status == 0);
    // The signal comes as soon as the metrics show that training is under way.
    const Outcome interrupted = run_command(program() + " " + kTiny + "--out " + cut + " & while [ ! -s " + cut +
                                            "/metrics.jsonl ]; do sleep 0.002; done; kill -INT $!; wait $!");
    INFO(interrupted.err);
    if (interrupted.status == 130)
        CHECK_THAT(interrupted.err, ContainsSubstring("whorl train --resume --out " + cut));
    else
        CHECK(interrupted.status == 0);  // it was faster than the signal
    REQUIRE(run_whorl("train --resume --out " + cut).status == 0);
    check_same_run(whole, cut);
}

TEST_CASE("a run that was killed goes on from its last checkpoint", "[cli]") {
    const TemporaryFolder folder;
    const std::string whole = folder / "whole", cut = folder / "cut";
    REQUIRE(run_whorl(kTiny + "--out " + whole).status == 0);
    // What a kill -9 after step 18 may leave: later rows, half a line, no later checkpoint, an old manifest.
    fs::copy(whole, cut, fs::copy_options::recursive);
    fs::remove_all(cut + "/checkpoints/step-27");
    fs::remove_all(cut + "/checkpoints/step-30");
    std::ofstream(cut + "/metrics.jsonl", std::ios::app) << "{\"kind\": \"tr";
    REQUIRE(run_whorl("train --resume --out " + cut).status == 0);
    check_same_run(whole, cut);
    // A damaged newest checkpoint is passed over.
    spill(cut + "/checkpoints/step-30/model.safetensors", "damaged");
    const Outcome repaired = run_whorl("train --resume --out " + cut);
    CHECK(repaired.status == 0);
    CHECK_THAT(repaired.err, ContainsSubstring("earlier checkpoint"));
    check_same_run(whole, cut);
}

TEST_CASE("resuming with another recipe names each key that differs", "[cli]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    CHECK(run_whorl(kTiny + "--resume --out " + run).status == 0);  // with a recipe it begins where there is no run
    const std::string metrics = slurp(run + "/metrics.jsonl");
    const Outcome other = run_whorl(kTiny + "--set batch=5 --set test.sizes=[8] --resume --out " + run);
    CHECK(other.status == 2);
    for (const char* key : {"batch: 4 there, 5 here", "test.sizes: [8,12] there, [8] here"})
        CHECK_THAT(other.err, ContainsSubstring(key));
    CHECK(other.err.find("steps") == std::string::npos);
    CHECK(std::count(other.err.begin(), other.err.end(), '\n') == 1);
    CHECK_THAT(run_whorl(kTiny + "--set model.d_state=4 --resume --out " + run).err,
               ContainsSubstring("model.config.layers[0].d_state: 8 there, 4 here"));
    CHECK(run_whorl("train --resume --set batch=5 --out " + run).status == 2);
    CHECK(run_whorl(kTiny + "--resume --out " + run).status == 0);
    CHECK(slurp(run + "/metrics.jsonl") == metrics);
}

TEST_CASE("another build or machine goes on only when it is told to", "[cli]") {
    const TemporaryFolder folder;
    const std::string whole = folder / "whole", cut = folder / "cut";
    REQUIRE(run_whorl(kTiny + "--out " + whole).status == 0);
    fs::copy(whole, cut, fs::copy_options::recursive);
    fs::remove_all(cut + "/checkpoints/step-30");
    std::string manifest = slurp(whole + "/manifest.json");
    manifest.replace(manifest.find("\"finished\""), 10, "\"running\"");
    const std::size_t at = manifest.find("\"commit\": \"") + 11;
    manifest.replace(at, manifest.find('"', at) - at, "0123abc");
    spill(cut + "/manifest.json", manifest);
    const std::string metrics = slurp(cut + "/metrics.jsonl");

    const Outcome refused = run_whorl("train --resume --out " + cut);
    CHECK(refused.status == 2);
    CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
    for (const char* part : {"another build", "commit: \"0123abc\" there", "--allow-other-build"})
        CHECK_THAT(refused.err, ContainsSubstring(part));
    CHECK(slurp(cut + "/metrics.jsonl") == metrics);  // nothing was touched
    CHECK(slurp(cut + "/manifest.json") == manifest);

    const Outcome allowed = run_whorl("train --resume --allow-other-build --threads 2 --out " + cut);
    CHECK(allowed.status == 0);
    CHECK_THAT(allowed.err, ContainsSubstring("warning: "));
    CHECK_THAT(slurp(cut + "/manifest.json"), ContainsSubstring("commit 0123abc"));  // who else worked on it
    check_same_run(whole, cut);                                                      // in truth it was this build
}

TEST_CASE("two processes do not work on one run", "[cli]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    REQUIRE(run_whorl(kTiny + "--out " + run).status == 0);
    fs::remove_all(run + "/checkpoints/step-30");
    const Outcome second =
        run_command("exec 9<" + run + "; flock -n 9 && " + program() + " train --resume --out " + run);
    CHECK(second.status == 2);
    CHECK_THAT(second.err, ContainsSubstring("another process"));
    CHECK(run_whorl("train --resume --out " + run).status == 0);
}

TEST_CASE("a dry run says what it takes and writes nothing", "[cli]") {
    const TemporaryFolder folder;
    const Outcome outcome = run_whorl(kTiny + "--dry-run --out " + (folder / "run"));
    CHECK(outcome.status == 0);
    for (const char* word : {"3 replicas", "1 of up to 3 replicas", "memory", "tokens", "time"})
        CHECK_THAT(outcome.out, ContainsSubstring(word));
    CHECK_THAT(run_whorl(kTiny + "--dry-run --group 2").out, ContainsSubstring("2 of up to 2 replicas"));
    // An evaluation far beyond the training size takes most, and is said to.
    CHECK_THAT(run_whorl(kTiny + "--dry-run --set test.sizes=[20000] --set test.count=1").out,
               ContainsSubstring("while size 20000 is evaluated, "));
    CHECK(folder.entries() == 0);
}

TEST_CASE("what the memory does not hold is refused before a folder is made", "[cli]") {
    const TemporaryFolder folder;
    const std::string command = kTiny + "--out " + (folder / "run") + " ";
    for (const char* request : {"--memory 0.0001", "--group 3 --memory 0.00045",
                                "--set model.preset=transformer --set test.sizes=[100000] --memory 0.01"}) {
        const Outcome outcome = run_whorl(command + request);
        INFO(request << "\n" << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    }
    for (const std::string what :
         {"train parity-quick --replicas 20000 --memory 0.5", "reproduce parity --memory 0.001"})
        CHECK_THAT(run_whorl(what + " --out " + (folder / "run")).err, ContainsSubstring(" fit"));
    CHECK(folder.entries() == 0);
}

TEST_CASE("groups and early stop and stages leave the same run however it is cut", "[cli]") {
    const TemporaryFolder folder;
    const std::string lively =
        kTiny +
        "--set early_stop.accuracy=0.55 --set early_stop.validations=2 --set "
        "curriculum.shape=stages --set curriculum.stages=[6,8,12] --set curriculum.advance_at=0.4 ";
    REQUIRE(run_whorl(lively + "--out " + (folder / "a")).status == 0);
    REQUIRE(run_whorl(lively + "--group 1 --out " + (folder / "b")).status == 0);
    const std::string metrics = slurp(folder / "a/metrics.jsonl");
    CHECK(metrics == slurp(folder / "b/metrics.jsonl"));
    CHECK_THAT(metrics, ContainsSubstring("\"kind\":\"stage\""));
    CHECK_THAT(slurp(folder / "a/manifest.json"), ContainsSubstring("\"determinism\": \"same_setup"));
    CHECK_THAT(run_whorl(lively + "--set determinism=same_replica").err, ContainsSubstring("cannot be had"));
}

TEST_CASE("a table is reproduced row by row and taken up again", "[cli]") {
    const TemporaryFolder folder;
    const std::string command =
        "reproduce parity --threads 1 --set steps=3 --set batch=2 --set replicas.seeds=1 --set validation.count=8 "
        "--set test.count=8 --set test.sizes=[40,80] --out " +
        (folder / "table");
    const Outcome first = run_whorl(command);
    INFO(first.err);
    REQUIRE(first.status == 0);
    for (const char* row : {"Mamba-3, no RoPE", "Gated DeltaNet [0,1]", "Transformer", "paper", "same_replica"})
        CHECK_THAT(first.out, ContainsSubstring(row));
    const std::string table = slurp(folder / "table/table.md"), json = slurp(folder / "table/table.json"),
                      csv = slurp(folder / "table/table.csv");
    fs::remove_all(folder / "table/parity/mamba2");
    REQUIRE(run_whorl(command).status == 0);
    // The time that a row took says nothing in what programs read: taken up again, the same bytes.
    CHECK(slurp(folder / "table/table.json") == json);
    CHECK(slurp(folder / "table/table.csv") == csv);
    CHECK(whorl::parse_json(json, "table").root.data.index() > 0);
    CHECK(csv.rfind("column,row,size,best,median,min,max,", 0) == 0);
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 7 * 2);
    CHECK_THAT(table, ContainsSubstring("| Mamba-2 |"));
    CHECK(run_whorl(command + " --set batch=3").status == 2);  // other rows are in that folder
}

TEST_CASE("chosen rows and columns of a table have a summary beside the paper's numbers", "[cli]") {
    const TemporaryFolder folder;
    const std::string command =
        "reproduce state-tracking --threads 1 --set steps=2 --set batch=2 --set replicas.seeds=1 --set "
        "validation.count=8 --set test.count=8 --row gdn --row mamba3 --column arithmetic --column brackets --out " +
        (folder / "table");
    const Outcome outcome = run_whorl(command);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    // In the table's own order, with each column's own published numbers.
    CHECK(outcome.out.find("Mamba-3") < outcome.out.find("Gated DeltaNet [-1,1]"));
    for (const char* text : {"98.51", "87.75", "99.25", "93.50", "arithmetic, brackets"})
        CHECK_THAT(outcome.out, ContainsSubstring(text));
    CHECK_THAT(outcome.out, !ContainsSubstring("100.00"));
    CHECK(fs::exists(folder / "table/brackets/gdn/manifest.json"));
    const Outcome unknown = run_whorl("reproduce parity --row mamba4 --out " + (folder / "other"));
    CHECK(unknown.status == 2);
    CHECK_THAT(unknown.err, ContainsSubstring("mamba3"));
    CHECK_FALSE(fs::exists(folder / "other"));
}
