// Results on disk become an overview: a sweep's folder, a table's, pieces of one.
#include "viz/views/overview_view.hpp"

#include <filesystem>

#include "app/run/manifest.hpp"
#include "app/run/session.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_folder.hpp"
#include "viz/panels/overview.hpp"
#include "viz/views/overview_runs.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

RunSetup tiny(const std::vector<std::string>& more) {
    std::vector<std::string> set = {"steps=3",
                                    "batch=2",
                                    "model.d_model=16",
                                    "model.d_state=8",
                                    "validation.sizes=[8]",
                                    "validation.count=8",
                                    "test.sizes=[8,12]",
                                    "test.count=16",
                                    "curriculum.end=12",
                                    "replicas.seeds=2",
                                    "replicas.learning_rates=[0.004]"};
    set.insert(set.end(), more.begin(), more.end());
    return set_up(load_recipe("parity-quick", set));
}

/// `steps`: fewer leave it unfinished.
void train(const std::string& path, const RunSetup& setup, std::int64_t steps = 3) {
    fs::create_directories(fs::path(path).parent_path());
    const auto processor = make_cpu_backend(1);
    std::int64_t done = 0;
    SessionHooks hooks;
    hooks.progress = [&](const Progress& progress) { done = progress.row.step; };
    hooks.stop = [&] { return done >= steps && steps < 3; };
    const RunDirectory run = open_or_create(path, setup);
    train_run(setup, run, *processor, hooks);
}

std::vector<std::string> names_of(const viz::OverviewData& data) {
    std::vector<std::string> names;
    for (const viz::OverviewKey& key : data.keys) names.push_back(key.name);
    return names;
}

viz::Known known(const viz::OverviewData& data, std::size_t dot, const std::string& key) {
    return data.dots.at(dot).known.at(viz::key_named(data, key));
}

}  // namespace

TEST_CASE("a sweep's folder has a dot for each replica, with the keys that it varied first", "[viz][overview]") {
    const TemporaryFolder folder;
    const std::string sweep = folder / "sweep";
    train(sweep + "/headdim=8", tiny({"model.headdim=8"}));
    train(sweep + "/headdim=16", tiny({"model.headdim=16"}));
    train(sweep + "/headdim=32", tiny({"model.headdim=32"}), 1);
    fs::create_directory(sweep + "/table");
    spill(sweep + "/runs.toml",
          "name = \"heads\"\nthreshold = 0.5\nsize = 8\naxes = [\"model.headdim\"]\n"
          "[[runs]]\nfolder = \"headdim=8\"\n[[runs]]\nfolder = \"headdim=16\"\n"
          "[[runs]]\nfolder = \"headdim=32\"\n[[runs]]\nfolder = \"headdim=64\"\n");
    CHECK(viz::holds_results(sweep));
    CHECK_FALSE(viz::holds_results(sweep + "/headdim=8"));
    CHECK_FALSE(viz::holds_results(sweep + "/table"));
    const viz::OverviewData data = viz::load_overview({sweep});
    CHECK(data.title == "heads");
    CHECK(data.pass == 50);
    CHECK(data.missing == "1 run is not begun, 1 run is not finished");
    REQUIRE(data.dots.size() == 4);
    CHECK(names_of(data).front() == "model.headdim");
    CHECK(data.dots[1].name == "headdim=16@1");
    CHECK(data.dots[1].opens == sweep + "/headdim=16@1");
    CHECK(known(data, 1, "model.headdim") == viz::Known(16.0));
    CHECK(known(data, 1, "seed") == viz::Known(1.0));
    CHECK(known(data, 1, "accuracy") == known(data, 1, "accuracy.8"));
    CHECK(known(data, 1, "steps") == viz::Known(3.0));
    // The same numbers as the run's own.
    const RunDirectory run = RunDirectory::open(sweep + "/headdim=16");
    const RunSetup setup = load_setup(run);
    const double accuracy = finished_result(run, setup)->test.accuracy[0][1];
    CHECK(std::get<double>(known(data, 1, "accuracy")) == Approx(100 * scaled_accuracy(accuracy, 0.5)));
    CHECK(viz::overview_figure(data, {}).panels.size() == 1);
}

TEST_CASE("folders of folders of runs are columns and rows", "[viz][overview]") {
    const TemporaryFolder folder;
    train(folder / "parity/mamba3", tiny({}));
    train(folder / "parity/mamba2", tiny({"model.preset=mamba2"}));
    const viz::OverviewData data = viz::load_overview({folder / ""});
    REQUIRE(data.dots.size() == 4);
    CHECK(names_of(data).front() == "row");
    CHECK(known(data, 0, "row") == viz::Known(std::string("mamba2")));
    CHECK(known(data, 0, "column") == viz::Known(std::string("parity")));
    CHECK(data.keys[0].roles.at("mamba2") == plot::Role::mamba2);
    CHECK(data.keys[0].roles.at("mamba3") == plot::Role::mamba3);
}

TEST_CASE("one run has an overview of its replicas, and one that cannot be read is named", "[viz][overview]") {
    const TemporaryFolder folder;
    train(folder / "all/one", tiny({}));
    CHECK(viz::load_overview({folder / "all/one"}).dots.size() == 2);
    fs::create_directory(folder / "all/broken");
    spill(folder / "all/broken/config.toml", "steps = \"many\"\n");
    const viz::OverviewData data = viz::load_overview({folder / "all"});
    CHECK(data.dots.size() == 2);
    CHECK_THAT(data.missing, ContainsSubstring("1 run is not read ("));
    CHECK_THAT(data.missing, ContainsSubstring("broken/config.toml"));
    CHECK_THAT(message_of<UserError>([&] { viz::load_overview({folder / "nowhere"}); }),
               ContainsSubstring("holds neither runs"));
}

TEST_CASE("pieces of the stored table are dots that open nothing", "[viz][overview]") {
    const std::string stored = source_file("experiments/results/state-tracking/full");
    CHECK(viz::holds_results(stored));
    const viz::OverviewData data = viz::load_overview({stored});
    CHECK(data.dots.size() == 500);
    CHECK(data.keys[0].name == "row");
    CHECK(data.keys[0].roles.at("gdn-positive") == plot::Role::gated_delta_net);
    CHECK(data.keys[0].roles.at("mamba3-no-rope") == plot::Role::mamba3);
    for (const viz::OverviewDot& dot : data.dots) REQUIRE(dot.opens.empty());
    viz::OverviewChoice only;
    only.filter = "row=gdn and column=parity";
    const plot::Figure figure = viz::overview_figure(data, only);
    CHECK_THAT(figure.claim, ContainsSubstring("of 24 replicas reach 90 %"));
}

TEST_CASE("settings are called as sweeps call them", "[viz][overview]") {
    const auto settings = viz::settings_in(to_value(tiny({"model.n_layer=2"}).config));
    const auto value_of = [&](const std::string& name) {
        for (const auto& [key, value] : settings)
            if (key == name) return value;
        return viz::Known();
    };
    CHECK(value_of("model.d_model") == viz::Known(16.0));
    CHECK(value_of("model.headdim") == viz::Known(8.0));
    CHECK(value_of("model.mimo") == viz::Known(std::string("no")));
    CHECK(value_of("loss.label_smoothing") == viz::Known(0.05));
    CHECK(value_of("test.count") == viz::Known());
    CHECK(value_of("checkpoint.every") == viz::Known());
    CHECK(value_of("replicas.seeds") == viz::Known());
}
