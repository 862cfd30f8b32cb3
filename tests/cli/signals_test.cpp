// What comes from outside while the program works: signals, other processes, a folder or a reader that goes away.
#include <algorithm>
#include <filesystem>

#include "core/io/run_directory.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/tiny_training.hpp"

using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

const std::string kEndless = kTiny + "--set steps=1000000 ";

/// Trains in the background without end; once there are metrics, `then` is run and the training waited for.
Outcome train_and(const std::string& run, const std::string& then, const std::string& before = "") {
    return run_command(before + program() + " " + kEndless + "--out " + run + " & training=$!; while [ ! -s " + run +
                       "/metrics.jsonl ]; do kill -0 $training || exit 99; sleep 0.01; done; " + then +
                       "; wait $training");
}

}  // namespace

TEST_CASE("a terminal that goes away ends a training as SIGTERM does", "[cli][signals]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    const Outcome outcome = train_and(run, "kill -HUP $training");
    INFO(outcome.err);
    CHECK(outcome.status == 128 + 1);
    CHECK_THAT(outcome.err, ContainsSubstring("whorl train --resume --out " + run));
    CHECK_THAT(slurp(run + "/manifest.json"), ContainsSubstring("\"status\": \"interrupted\""));
    CHECK(whorl::RunDirectory::open(run).newest_valid_checkpoint());
}

TEST_CASE("under nohup a training outlives its terminal", "[cli][signals]") {
    const TemporaryFolder folder;
    const Outcome outcome =
        train_and(folder / "run", "kill -HUP $training; sleep 0.3; kill -TERM $training", "trap '' HUP; ");
    INFO(outcome.err);
    CHECK(outcome.status == 128 + 15);  // not by the first one
}

TEST_CASE("a training whose folder is renamed stops and leaves nothing at the old place", "[cli][signals]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", moved = folder / "moved";
    const Outcome outcome = train_and(run, "mv " + run + " " + moved);
    INFO(outcome.err);
    CHECK(outcome.status == 3);
    CHECK_THAT(outcome.err, ContainsSubstring("renamed, replaced or removed"));
    CHECK_FALSE(fs::exists(run));
    CHECK(run_whorl("report " + moved).status == 0);
    std::vector<std::string> damaged;
    whorl::RunDirectory::open(moved).newest_valid_checkpoint(&damaged);
    CHECK(damaged.empty());
}

TEST_CASE("a training whose folder is removed stops", "[cli][signals]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    const Outcome outcome = train_and(run, "mv " + run + " " + (folder / "doomed") + "; rm -r " + (folder / "doomed"));
    INFO(outcome.err);
    CHECK(outcome.status == 3);
    CHECK_FALSE(fs::exists(run));
}

TEST_CASE("of two trainings of one new folder one goes on and the other touches nothing", "[cli][signals]") {
    const TemporaryFolder folder;
    for (int attempt = 0; attempt < 8; ++attempt) {
        const std::string run = folder / ("run-" + std::to_string(attempt));
        const auto training = [&](int batch) {
            return program() + " " + kTiny +
                   "--set steps=2 --set test.count=1 --set validation.count=1 --set batch=" + std::to_string(batch) +
                   " --out " + run;
        };
        const Outcome outcome = run_command(training(2) + " >" + (folder / "a") + " & first=$!; " + training(3) + " >" +
                                            (folder / "b") + "; echo \"second $?\"; wait $first; echo \"first $?\"");
        INFO(outcome.out << outcome.err);
        const bool first_won = outcome.out == "second 2\nfirst 0\n";
        CHECK((first_won || outcome.out == "second 0\nfirst 2\n"));
        CHECK_THAT(slurp(run + "/config.toml"), ContainsSubstring(first_won ? "batch = 2\n" : "batch = 3\n"));
        CHECK(run_whorl("report " + run).status == 0);  // config and manifest are of one run
        for (const auto& entry : fs::directory_iterator(run)) CHECK(entry.path().filename().string().front() != '.');
    }
}

TEST_CASE("a pipe that nobody reads ends every command quietly", "[cli][signals]") {
    const TemporaryFolder folder;
    const std::string run = folder / "run", pipe = folder / "pipe";
    REQUIRE(run_whorl(kTiny + "--out " + run).status == 0);
    const std::vector<std::string> commands = {"--help",
                                               "--version",
                                               "tasks",
                                               "tasks --help",
                                               "models",
                                               "sample parity",
                                               "report " + run,
                                               "report --format csv " + run,
                                               "eval " + run,
                                               "eval --json " + run,
                                               "decode --tokens 0 --replica 0 " + run,
                                               kTiny + "--out " + (folder / "other")};
    // Opened for reading and writing, then for writing alone: a pipe without a reader, however quick the program is.
    const std::string unread =
        "mkfifo " + pipe + "; exec 3<>" + pipe + "; exec 4>" + pipe + "; exec 3<&-; rm " + pipe + "; ";
    for (const std::string& signal : {std::string(), std::string("trap '' PIPE; ")})
        for (const std::string& command : commands) {
            fs::remove_all(folder / "other");
            const Outcome outcome = run_command(unread + signal + program() + " " + command + " >&4");
            INFO(signal << command << "\n" << outcome.err);
            CHECK(outcome.status == 128 + 13);
            CHECK(outcome.err.find("whorl: ") == std::string::npos);
        }
    // The run itself came to its end: what could not be printed is not lost.
    CHECK_THAT(slurp(folder / "other/manifest.json"), ContainsSubstring("\"status\": \"finished\""));
}

TEST_CASE("messages that nobody reads do not end a training", "[cli][signals]") {
    const TemporaryFolder folder;
    const std::string pipe = folder / "pipe", run = folder / "run";
    const Outcome outcome = run_command("mkfifo " + pipe + "; exec 3<>" + pipe + "; exec 4>" + pipe + "; exec 3<&-; " +
                                        program() + " " + kTiny + "--out " + run + " 2>&4");
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.out, ContainsSubstring("30 steps"));
}

TEST_CASE("output onto a full disk is a failure of the machine", "[cli][signals]") {
    for (const char* command : {"tasks", "models", "--help", "sample parity"}) {
        const Outcome outcome = run_command(program() + " " + command + " >/dev/full");
        INFO(command << "\n" << outcome.err);
        CHECK(outcome.status == 3);
        CHECK(outcome.err == "whorl: the output could not be written\n");
    }
}
