// A run that is killed again and again ends with the bytes of one that never was.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>
#include <vector>

#include "core/base/philox.hpp"
#include "core/io/run_directory.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_program.hpp"

namespace fs = std::filesystem;

namespace {

constexpr int kKills = 20;
constexpr std::uint64_t kSeed = 20260;

// Everything that a run's state can hold: rows, validations, stages, replicas that stop. Much is written, little
// computed, so that many kills fall into writes.
const std::vector<std::string> kWords = {"train",
                                         "parity-quick",
                                         "--resume",
                                         "--threads",
                                         "1",
                                         "--replicas",
                                         "2",
                                         "--set",
                                         "steps=30",
                                         "--set",
                                         "batch=4",
                                         "--set",
                                         "model.d_model=16",
                                         "--set",
                                         "model.d_state=8",
                                         "--set",
                                         "log_every=3",
                                         "--set",
                                         "curriculum.shape=stages",
                                         "--set",
                                         "curriculum.stages=[6,8,12]",
                                         "--set",
                                         "curriculum.advance_at=0.5",
                                         "--set",
                                         "curriculum.steps_per_stage=12",
                                         "--set",
                                         "early_stop.accuracy=0.7",
                                         "--set",
                                         "early_stop.validations=2",
                                         "--set",
                                         "validation.every=5",
                                         "--set",
                                         "validation.sizes=[8]",
                                         "--set",
                                         "validation.count=16",
                                         "--set",
                                         "test.sizes=[8,12]",
                                         "--set",
                                         "test.count=16",
                                         "--set",
                                         "checkpoint.every=2",
                                         "--set",
                                         "checkpoint.snapshots=9",
                                         "--out"};

/// The program in the background, its messages in a file.
class Program {
public:
    Program(const std::string& run, const std::string& log) {
        std::vector<std::string> words = kWords;
        words.insert(words.begin(), program());
        words.push_back(run);
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t files;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&files, 2, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
        if (::posix_spawn(&process_, program().c_str(), &files, nullptr, arguments.data(), environ) != 0) process_ = -1;
        posix_spawn_file_actions_destroy(&files);
    }
    bool started() const { return process_ > 0; }
    void kill() const { ::kill(process_, SIGKILL); }
    /// Exit status, or 128 + the signal.
    int wait() const {
        int status = 0;
        ::waitpid(process_, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

private:
    pid_t process_ = -1;
};

/// Runs to the end; the seconds it took.
double finish(const std::string& run, const std::string& log) {
    const auto begin = std::chrono::steady_clock::now();
    const Program program(run, log);
    REQUIRE(program.started());
    const int status = program.wait();
    INFO(slurp(log));
    REQUIRE(status == 0);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void check_same_result(const std::string& a, const std::string& b) {
    const auto whole = whorl::RunDirectory::open(a).checkpoints(), cut = whorl::RunDirectory::open(b).checkpoints();
    REQUIRE_FALSE(whole.empty());
    REQUIRE_FALSE(cut.empty());
    CHECK(whole.back().step == cut.back().step);
    CHECK(slurp(whole.back().checksums_path()) == slurp(cut.back().checksums_path()));
    CHECK_NOTHROW(whorl::verify_checkpoint(cut.back()));
    CHECK(slurp(a + "/config.toml") == slurp(b + "/config.toml"));
    CHECK(slurp(a + "/metrics.jsonl") == slurp(b + "/metrics.jsonl"));
    const auto kept = whorl::RunDirectory::open(a).snapshots(), again = whorl::RunDirectory::open(b).snapshots();
    REQUIRE(kept.size() == again.size());
    for (std::size_t i = 0; i < kept.size(); ++i) CHECK(slurp(kept[i].path) == slurp(again[i].path));
    for (const auto& entry : fs::directory_iterator(b)) CHECK(entry.path().filename().string().front() != '.');
    for (const char* inside : {"/checkpoints", "/snapshots"})
        for (const auto& entry : fs::directory_iterator(b + inside))
            CHECK(entry.path().filename().string().front() != '.');
}

}  // namespace

TEST_CASE("killed at twenty random moments a run ends with the same bytes", "[cli][kill]") {
    const TemporaryFolder folder;
    const std::string whole = folder / "whole", log = folder / "log";
    const double seconds = finish(whole, log);
    whorl::Random random(kSeed, whorl::Purpose::sampling, 0, 0);
    std::ostringstream moments;
    int kills = 0, runs = 0;
    std::string run = folder / "run-0";
    for (int attempt = 0; kills < kKills && attempt < 10 * kKills; ++attempt) {
        const Program program(run, log);
        REQUIRE(program.started());
        const double moment = seconds * random.below(1000) / 1000;
        std::this_thread::sleep_for(std::chrono::duration<double>(moment));
        program.kill();
        const int status = program.wait();
        INFO("seed " << kSeed << ", killed after (s):" << moments.str() << ", now " << moment << "\n" << slurp(log));
        REQUIRE((status == 0 || status == 128 + SIGKILL));
        if (status != 0) {
            ++kills;
            moments << " " << moment;
            continue;
        }
        check_same_result(whole, run);  // it came to its end, after kills or without
        run = folder / ("run-" + std::to_string(++runs));
    }
    INFO("seed " << kSeed << ", killed after (s):" << moments.str());
    CHECK(kills == kKills);
    finish(run, log);
    check_same_result(whole, run);
}
