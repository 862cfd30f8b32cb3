// whorl eval as a user types it: scores, the needle grid, and lengths that cannot be.
#include <algorithm>

#include "core/config/value.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"

using Catch::Matchers::ContainsSubstring;
using whorl::Array;

namespace {

const std::string kSmall =
    " --threads 1 --set steps=4 --set batch=4 --set model.d_model=16 --set model.d_state=8 --set validation.sizes=[12] "
    "--set validation.count=8 --set test.sizes=[16] --set test.count=8 --set curriculum.start=12 "
    "--set curriculum.end=16 --replicas 1 --out ";

// A trained run in `folder`, its path.
std::string train(const TemporaryFolder& folder, const std::string& recipe) {
    const std::string run = folder / "run";
    const Outcome outcome = run_whorl("train " + recipe + kSmall + run);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return run;
}

const Array& items(const whorl::Value& value, const char* key) {
    const whorl::Value* found = whorl::find(value, key);
    REQUIRE(found != nullptr);
    return std::get<Array>(found->data);
}

const Array& inner(const Array& outer, std::size_t i) {
    return std::get<Array>(outer.at(i).data);
}

whorl::Document json_of(const std::string& arguments) {
    const Outcome outcome = run_whorl(arguments + " --json");
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return whorl::parse_json(outcome.out, "eval");
}

}  // namespace

TEST_CASE("eval shows the needles found and the metrics hold them", "[cli]") {
    const TemporaryFolder folder;
    const std::string run = train(folder, "needle-quick");
    CHECK_THAT(slurp(run + "/metrics.jsonl"), ContainsSubstring("\"found\""));
    CHECK(slurp(run + "/metrics.jsonl").find("per_position") == std::string::npos);
    const Outcome text = run_whorl("eval " + run + " --threshold 0.001 --per-position");
    for (const char* word : {"found", "effective length (accuracy ≥ 0.001)", "by supervised position, size 16"})
        CHECK_THAT(text.out, ContainsSubstring(word));
    const whorl::Document json = json_of("eval " + run + " --replica all --lengths 16,24 --threshold 1 --per-position");
    const std::size_t replicas = items(json.root, "replicas").size();
    REQUIRE(replicas >= 2);
    CHECK(items(json.root, "found").size() == 2);
    CHECK(inner(items(json.root, "found"), 1).size() == replicas);
    CHECK(items(json.root, "effective_length").size() == replicas);
    CHECK(inner(inner(items(json.root, "per_position"), 1), 0).size() == 3);  // a value's tokens
}

TEST_CASE("the needle grid has a row for each depth and reaches 16 times the training size", "[cli]") {
    const TemporaryFolder folder;
    const std::string run = train(folder, "needle-quick");
    const Outcome text = run_whorl("eval " + run + " --grid --count 2");
    for (const char* word : {"depth   0 %", "depth 100 %", " 256", "percent of needles found"})
        CHECK_THAT(text.out, ContainsSubstring(word));
    const whorl::Document json = json_of("eval " + run + " --grid --count 8 --depths 0,50,100 --lengths 16,32");
    for (const char* key : {"accuracy", "found"}) {
        CHECK(items(json.root, key).size() == 3);
        CHECK(inner(inner(items(json.root, key), 2), 1).size() == 1);
    }
    CHECK(run_whorl("eval " + run + " --grid --depths 0,101").status == 2);
    CHECK_THAT(run_whorl("eval " + run + " --grid --per-position").err, ContainsSubstring("exclude each other"));
    // A size that cannot hold the needle and its query, with the one that can.
    CHECK_THAT(run_whorl("eval " + run + " --lengths 5").err,
               ContainsSubstring("--lengths: 5 is no size of needle; the nearest is 10"));
}

TEST_CASE("eval shows every prefix where every prefix is asked for", "[cli]") {
    const TemporaryFolder folder;
    const std::string run = train(folder, "parity-quick --set task.supervise=all");
    const whorl::Document json = json_of("eval " + run + " --lengths 9,12 --per-position");
    CHECK(inner(inner(items(json.root, "per_position"), 1), 0).size() == 11);
    CHECK(whorl::find(json.root, "found") == nullptr);
    for (const auto& [arguments, expected] : {std::pair{"--grid", "this run's task is parity"},
                                              {"--threshold 1.5", "--threshold: 1.5"},
                                              {"--depths 0,50", "--depths: names the rows of a grid"},
                                              {"--lengths 2", "--lengths: 2 is no size of parity; the nearest is 3"},
                                              {"--lengths 9,2000000", "2000000"}}) {
        const Outcome outcome = run_whorl("eval " + run + " " + arguments);
        INFO(arguments << ": " << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(outcome.out.empty());
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
        CHECK_THAT(outcome.err, ContainsSubstring(expected));
    }
}
