// Sweeps: how a file becomes runs, and what the command leaves behind.
#include "app/sweep/sweep.hpp"

#include <algorithm>
#include <filesystem>

#include "app/run/manifest.hpp"
#include "app/run/session.hpp"
#include "app/sweep/table.hpp"
#include "core/base/error.hpp"
#include "core/base/merit.hpp"
#include "core/io/toml_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_program.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

std::vector<SweepRun> runs_in(const std::string& text, const std::vector<std::string>& more = {}) {
    return runs_of(read_sweep(parse_toml(text, "sweep.toml")), more);
}

// Two models at two batches, a second each at most.
const std::string kSweep =
    "name = \"tiny\"\nrecipe = \"parity-quick\"\nsize = 12\nthreshold = 0.1\n[set]\nsteps = 12\ncurriculum.end = 12\n"
    "model.d_model = 16\nmodel.d_state = 8\nreplicas.seeds = 2\n"
    "replicas.learning_rate = { log = [1e-3, 1e-2], count = 2 }\nvalidation.sizes = [8]\nvalidation.count = 32\n"
    "test.sizes = [8, 12]\ntest.count = 40\ncheckpoint.every = 5\n[axes]\nmodel.preset = [\"mamba3\", \"mamba2\"]\n"
    "batch = [2, 3]\n";

}  // namespace

TEST_CASE("a sweep is every combination with the last axis fastest", "[sweep]") {
    const auto runs = runs_in(kSweep, {"steps=7"});
    REQUIRE(runs.size() == 4);
    CHECK(runs[1].values == std::vector<std::string>{"mamba3", "3"});
    CHECK(runs[1].folder == "preset=mamba3,batch=3");
    CHECK(runs[1].setup.config.training.batch == 3);
    CHECK(runs[1].setup.config.training.steps == 7);  // --set comes last
    CHECK(runs[1].setup.config.replicas.learning_rates == std::vector<double>{1e-3, 1e-2});
    CHECK(std::holds_alternative<Mamba2Config>(runs[2].setup.model.layers[0]));
    CHECK(runs[2].setup.config.name == "preset=mamba2,batch=2");
}

TEST_CASE("axes may be tasks and lists and deep keys", "[sweep]") {
    const auto runs = runs_in(
        "recipe = \"parity-quick\"\n[axes]\ntask.type = [\"parity\", \"even_pairs\"]\ntest.sizes = [[8], [8, 16]]\n");
    REQUIRE(runs.size() == 4);
    CHECK(runs[3].setup.data->name() == "even_pairs");
    CHECK(runs[3].setup.config.test.sizes == std::vector<std::int64_t>{8, 16});
    CHECK(runs[3].folder.find_first_of(" []/\"") == std::string::npos);
    const auto deep = runs_in("recipe = \"parity-quick\"\n[axes]\n\"curriculum.end\" = [10, 12]\n");
    CHECK(deep[1].setup.config.training.curriculum.end == 12);
}

TEST_CASE("values that a folder's name cannot tell apart get folders of their own", "[sweep]") {
    const std::string head = "recipe = \"parity-quick\"\n[axes]\n";
    std::string sizes = head + "test.sizes = [";
    for (const char* last : {"101", "102"}) {
        sizes += "[";
        for (int size = 10; size < 60; ++size) sizes += std::to_string(size) + ", ";
        sizes += std::string(last) + "], ";
    }
    const auto longer = runs_in(sizes + "]\n");
    REQUIRE(longer.size() == 2);
    CHECK(longer[0].folder != longer[1].folder);
    CHECK(longer[1].folder.rfind(longer[0].folder + "-", 0) == 0);
    CHECK(longer[1].setup.config.name == longer[1].folder);
    CHECK(runs_in(sizes + "]\n")[1].folder == longer[1].folder);
}

TEST_CASE("ranges of step sizes that a model makes the same of are refused", "[sweep][training]") {
    const auto message = [](const std::string& model, const std::string& ranges) {
        return message_of<UserError>([&] {
            set_up(load_recipe("parity-quick", {"model.preset=" + model, "replicas.dt_range=" + ranges}));
        });
    };
    const std::string two = "[{min=0.1,max=1},{min=0.5,max=2}]";
    CHECK(message("mamba3", two) == "(nothing was thrown)");
    CHECK_THAT(message("transformer", two),
               ContainsSubstring("{ min = 0.1, max = 1 } and { min = 0.5, max = 2 } are the same for this model, which "
                                 "has no step sizes"));
    CHECK_THAT(message("mamba3", "[{},{min=0.001,max=0.1}]"), ContainsSubstring("are the same for this model; that"));
}

TEST_CASE("the sweep in the docs is one", "[sweep]") {
    const Sweep sweep = read_sweep(load_toml(source_file("experiments/sweeps/models.toml")));
    CHECK(runs_of(sweep, {}).size() == 6);
}

TEST_CASE("a sweep that is none gets one line with its place", "[sweep]") {
    const auto message = [](const std::string& text) { return message_of<UserError>([&] { runs_in(text); }); };
    const std::string recipe = "recipe = \"parity-quick\"\n";
    CHECK_THAT(message("[axes]\nbatch = [1]"), ContainsSubstring("recipe: required key is missing"));
    CHECK_THAT(message(recipe + "[axes]"), ContainsSubstring("sweep.toml:2: axes: must name at least one key"));
    CHECK_THAT(message(recipe + "[axes]\nbatch = 3"), ContainsSubstring("sweep.toml:3: axes.batch: expected the list"));
    CHECK_THAT(message(recipe + "[axes]\nbatch = [1, 2, 1]"),
               ContainsSubstring("sweep.toml:3: axes.batch: '1' is there twice"));
    CHECK_THAT(message(recipe + "[axes]\nreplicas.weight_decay = [0.1, [0.1]]"),
               ContainsSubstring("the run with replicas.weight_decay = [0.1]: is the run with replicas.weight_decay = "
                                 "0.1 once more"));
    CHECK_THAT(message(recipe + "[axes]\nreplicas.learning_rate = [[0.1, 0.1]]"), ContainsSubstring("0.1 (2 times)"));
    CHECK_THAT(message(recipe + "[axes]\nname = [\"ä\", \"ö\"]"),
               ContainsSubstring("the run with name = ö: is the run with name = ä once more"));
    CHECK_THAT(message(recipe + "[axes]\nbatsch = [1]"), ContainsSubstring("batsch = 1: batsch: unknown key"));
    CHECK_THAT(message("recipe = \"parity-quik\"\n[axes]\nbatch = [1]"), ContainsSubstring("did you mean"));
    CHECK_THAT(message("name = \"a/b\"\n" + recipe + "[axes]\nbatch = [1]"), ContainsSubstring("names a folder"));
    std::string many = recipe + "[axes]\n";
    for (const char* key : {"batch", "steps", "log_every", "model.d_model", "model.n_layer"})
        many += std::string(key) + " = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n";
    CHECK_THAT(message(many), ContainsSubstring("more than 10000 runs"));
}

TEST_CASE("a sweep trains its runs and is taken up again and reported", "[sweep][cli]") {
    const TemporaryFolder folder;
    spill(folder / "sweep.toml", kSweep);
    const std::string out = folder / "out", command = "sweep " + (folder / "sweep.toml") + " --threads 1 --out " + out;
    CHECK_THAT(run_whorl(command + " --dry-run").out, ContainsSubstring("4 runs, 16 replicas"));
    CHECK_FALSE(fs::exists(out));
    fs::create_directory(out);
    const Outcome taken = run_command("exec 9<" + out + "; flock -n 9 && " + program() + " " + command);
    CHECK(taken.status == 2);
    CHECK_THAT(taken.err, ContainsSubstring("another process is working on this sweep"));
    CHECK(fs::is_empty(out));
    spill(out + "/.runs.toml.tmp-1-0", "of a killed process");
    const Outcome first = run_whorl(command);
    INFO(first.err);
    REQUIRE(first.status == 0);
    for (const char* word : {"model.preset", "mamba2", "median", "pass all", "@12"})
        CHECK_THAT(first.out, ContainsSubstring(word));

    // The table says what the runs say: the rate by validation, the numbers by the test split.
    const ResultTable table = read_sweep_table(out);
    REQUIRE(table.sections.at(0).lines.size() == 4);
    const RunDirectory run = RunDirectory::open(out + "/preset=mamba2,batch=3");
    const RunSetup setup = load_setup(run);
    const Evaluation validation = *last_evaluation(run, setup, Split::validation),
                     test = *last_evaluation(run, setup, Split::test);
    const auto pair = [&](std::size_t r) {
        return Merit{(validation.accuracy[0][r] + validation.accuracy[0][r + 1]) / 2,
                     (validation.loss[0][r] + validation.loss[0][r + 1]) / 2};
    };
    const std::size_t chosen = better(pair(2), pair(0)) ? 2 : 0;
    const Summary& summary = *table.sections[0].lines[3].summary;
    const SizeSummary& cell = summary.read();
    CHECK(cell.size == 12);
    CHECK(summary.chosen.learning_rate == (chosen == 2 ? 1e-2 : 1e-3));
    const double a = 2 * test.accuracy[1][chosen] - 1, b = 2 * test.accuracy[1][chosen + 1] - 1;
    CHECK(cell.median == Approx((a + b) / 2));
    CHECK(cell.min == Approx(std::min(a, b)));
    CHECK(cell.max == Approx(std::max(a, b)));
    CHECK(cell.passed == (a >= 0.1) + (b >= 0.1));
    CHECK(cell.best == Approx(2 * test.accuracy[1][best_replica(validation)] - 1));

    // Four runs and two sizes, under a line of names; JSON that parses.
    const std::string csv = run_whorl("report " + out + " --format csv").out;
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 9);
    CHECK(csv == slurp(out + "/table.csv"));
    CHECK(csv.rfind("model.preset,batch,size,best,median", 0) == 0);
    const Document json = parse_json(run_whorl("report " + out + " --format json").out, "json");
    CHECK(std::get<Array>(find(json.root, "cells")->data).size() == 4);
    CHECK_THAT(run_whorl("report " + out).out, ContainsSubstring("| mamba2 | 3 |"));
    const std::string of_run = run_whorl("report '" + run.path() + "' --format csv").out;
    CHECK(std::count(of_run.begin(), of_run.end(), '\n') == 1 + 4 * (1 + 2));

    // A run that is missing is made again, those that are there stay; another recipe is refused by name.
    fs::remove_all(run.path());
    CHECK_THAT(run_whorl("report " + out).out, ContainsSubstring("not begun"));
    const auto untouched = fs::last_write_time(out + "/preset=mamba3,batch=2/metrics.jsonl");
    REQUIRE(run_whorl(command).status == 0);
    CHECK(fs::last_write_time(out + "/preset=mamba3,batch=2/metrics.jsonl") == untouched);
    CHECK(last_evaluation(run, setup, Split::test)->accuracy == test.accuracy);
    const Outcome other = run_whorl(command + " --set steps=13");
    CHECK(other.status == 2);
    CHECK_THAT(other.err, ContainsSubstring("steps: 12 there, 13 here"));
    CHECK(run_whorl("sweep " + (folder / "sweep.toml") + " --out " + run.path()).status == 2);
}
