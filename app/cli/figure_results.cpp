#include "app/cli/figure_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "app/cli/exhibits.hpp"
#include "app/cli/progress.hpp"
#include "app/cli/result_dots.hpp"
#include "app/inference/needle_grid.hpp"
#include "app/run/setup.hpp"
#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/checkpoint_file.hpp"
#include "viz/panels/overview.hpp"
#include "viz/views/needle_map_view.hpp"
#include "viz/views/overview_view.hpp"
#include "viz/views/training_view.hpp"

namespace whorl::cli {
namespace {

using plot::Figure;
using Sources = std::vector<std::string>;

constexpr std::int64_t kNeedleSize = 32;  // where a model does not say what it was trained on

const std::string& only(const Sources& sources, const char* view, const char* what) {
    if (sources.size() != 1)
        throw UserError(fmt::format("whorl figure {}: {} {}", view,
                                    sources.empty() ? "is to be given" : "takes one source:", what));
    return sources.front();
}

/// --count, or else the figure's own.
std::int64_t count_of(const Parsed& parsed, std::int64_t otherwise) {
    constexpr std::int64_t kMost = 1 << 24;
    const std::int64_t count = parsed.has("count") ? parsed.number("count") : otherwise;
    if (count < 1 || count > kMost) throw UserError(fmt::format("--count {}: expected 1..{}", count, kMost));
    return count;
}

std::optional<std::size_t> replica_of(const Parsed& parsed) {
    const ReplicaChoice choice = replica_choice(parsed.text("replica"));
    return choice.index < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(choice.index));
}

Figure training(const Parsed& parsed, const Sources& sources) {
    const std::string& source = only(sources, "training", "a RUN, or a recipe that is trained now");
    if (RunDirectory::exists(source)) {
        if (parsed.has("set")) throw UserError("--set: changes a recipe; " + one_line(source) + " is a run");
        return viz::training_figure(viz::load_training(source, replica_of(parsed), address_of(parsed)));
    }
    const RunSetup setup = set_up(load_recipe(source, parsed.all("set")));
    const auto processor = make_cpu_backend(0);
    check_devices(setup, *processor, {});
    viz::Watching watching;
    watching.replica = replica_of(parsed);
    watching.examples = count_of(parsed, watching.examples);
    ProgressLine line(setup.config.name);
    const auto begin = std::chrono::steady_clock::now();
    watching.progress = [&](std::int64_t done) {
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        line.show(seconds, [&] { return fmt::format("step {} of {}", done, setup.config.training.steps); });
    };
    return viz::training_figure(viz::watch_training(setup, *processor, watching, address_of(parsed)));
}

viz::NeedleSearch search_of(const Parsed& parsed, std::int64_t trained) {
    viz::NeedleSearch search;
    search.trained = trained;
    search.lengths = grid_sizes(trained > 0 ? trained : kNeedleSize);
    if (parsed.has("lengths")) search.lengths = number_list(parsed.text("lengths"), "--lengths", 1, kLargestTaskSize);
    if (parsed.has("depths")) search.depths = number_list(parsed.text("depths"), "--depths", 0, 100);
    search.count = count_of(parsed, search.count);
    for (auto* list : {&search.lengths, &search.depths}) {
        std::sort(list->begin(), list->end());
        list->erase(std::unique(list->begin(), list->end()), list->end());
    }
    return search;
}

Figure needle_map(const Parsed& parsed, const Sources& sources) {
    if (sources.empty()) throw UserError("whorl figure needle-map: a MODEL is missing, such as needle-gdn");
    const std::vector<viz::ShownModel> models = load_all(sources, parsed);
    const auto processor = make_cpu_backend(0);
    std::vector<viz::NeedleMap> maps;
    for (const viz::ShownModel& model : models)
        maps.push_back(viz::make_needle_map(model.exhibit, search_of(parsed, model.trained_size), *processor));
    return viz::needle_map_figure(maps);
}

Figure table(const Parsed&, const Sources& sources) {
    return viz::table_figure(load_result_dots(only(sources, "table", "a run, a sweep, or a table's folder")));
}

Figure overview(const Parsed& parsed, const Sources& sources) {
    const auto key = [&](const char* name) { return parsed.has(name) ? parsed.text(name) : std::string(); };
    const viz::OverviewChoice choice{key("x"), key("y"), key("colour"), key("filter"), key("sort")};
    return viz::overview_figure(viz::load_overview(sources), choice);
}

Figure scaling(const Parsed& parsed, const Sources& sources) {
    if (sources.empty())
        throw UserError(
            "whorl figure scaling: pieces of a table of several widths, or files of 'whorl bench … --json' "
            "are missing");
    Sources pieces, timings;
    for (const std::string& source : sources) (is_bench(source) ? timings : pieces).push_back(source);
    const std::string column = parsed.has("column") ? parsed.text("column") : "";
    return viz::scaling_figure(load_scaling(pieces, column, timings));
}

}  // namespace

std::vector<FigureView> result_views() {
    return {
        {"training",
         "RUN|RECIPE",
         "when it learns: all replicas' losses, accuracies by size, angles by step",
         {"replica", "head", "pair", "set", "count"},
         training},
        {"needle-map",
         "MODEL [MODEL…]",
         "which needles are found, by depth and length of the text",
         {"replica", "task", "lengths", "depths", "count"},
         needle_map},
        {"table",
         "RUN|SWEEP|TABLE",
         "a result table as dots: every replica, the median, the published value",
         {},
         table},
        {"overview",
         "SWEEP|TABLE|FOLDER…",
         "every replica of every run as a dot, placed and coloured by any key",
         {"x", "y", "colour", "filter", "sort"},
         overview},
        {"scaling",
         "PIECES… BENCH.json…",
         "accuracy against the size of the state, time against the length",
         {"column"},
         scaling},
    };
}

}  // namespace whorl::cli
