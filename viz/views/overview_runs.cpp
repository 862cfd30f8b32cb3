#include "viz/views/overview_runs.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "app/run/manifest.hpp"
#include "app/run/session.hpp"
#include "core/base/error.hpp"
#include "core/base/merit.hpp"
#include "core/training/checkpoint.hpp"
#include "viz/data/exhibit.hpp"

namespace whorl::viz {
namespace {

namespace fs = std::filesystem;

constexpr int kRunsBelow = 2;             // folders below
constexpr std::size_t kLongestText = 40;  // of a list in a config, to be a value that people tell apart

// --- configs ---------------------------------------------------------------------------------------------------------

using Settings = std::vector<std::pair<std::string, Known>>;

bool is_measurement(const std::string& name) {
    static const std::vector<std::string> all = {"name",     "determinism", "log_every",  "validation", "test",
                                                 "replicas", "checkpoint",  "model.type", "task.type"};
    return std::any_of(all.begin(), all.end(), [&](const std::string& one) {
        return name == one || name.compare(0, one.size() + 1, one + ".") == 0;
    });
}

void put_once(Settings& settings, const std::string& name, Known value) {
    const auto found =
        std::find_if(settings.begin(), settings.end(), [&](const auto& one) { return one.first == name; });
    if (found == settings.end())
        settings.emplace_back(name, std::move(value));
    else if (found->second != value)
        found->second = std::string("by layer");
}

void collect(const Value& value, const std::string& name, Settings& to) {
    if (is_measurement(name)) return;
    const auto* table = std::get_if<Table>(&value.data);
    const auto* array = std::get_if<Array>(&value.data);
    if (table != nullptr) {
        for (const Member& member : *table) {
            // The model's own table and its layers are no step of their own: "model.headdim", as sweeps call it.
            const bool inner = name == "model" && (member.key == "config" || member.key == "layers");
            collect(member.value, inner ? name : name.empty() ? member.key : name + "." + member.key, to);
        }
    } else if (array != nullptr && name == "model") {
        for (const Value& layer : *array) collect(layer, name, to);
    } else if (array != nullptr) {
        const std::string text = write_json(value);
        if (text.size() <= kLongestText) put_once(to, name, text);
    } else if (const auto* flag = std::get_if<bool>(&value.data)) {
        put_once(to, name, std::string(*flag ? "yes" : "no"));
    } else if (const auto* whole = std::get_if<std::int64_t>(&value.data)) {
        put_once(to, name, static_cast<double>(*whole));
    } else if (const auto* number = std::get_if<double>(&value.data)) {
        put_once(to, name, *number);
    } else if (const auto* text = std::get_if<std::string>(&value.data)) {
        put_once(to, name, *text);
    }
}

// --- runs ------------------------------------------------------------------------------------------------------------

struct ReadRun {
    RunPlace place;
    RunSetup setup;
    Settings settings;
    Evaluation validation, test;
    Standing standing;
    std::int64_t steps = 0;
    bool kept = false;  // its weights
};

/// Empty where it is not finished.
std::optional<ReadRun> read_run(const RunPlace& place) {
    const RunDirectory run = RunDirectory::open(place.path);
    ReadRun read{place, load_setup(run), {}, {}, {}, Standing(), 0, false};
    const std::int64_t count = read.setup.config.replicas.count();
    const auto result = finished_result(run, read.setup);
    if (!result) return std::nullopt;
    read.settings = settings_in(to_value(read.setup.config));
    read.test = result->test, read.steps = result->step;
    if (const auto validation = last_evaluation(run, read.setup, Split::validation)) read.validation = *validation;
    const auto checkpoints = run.checkpoints();
    read.kept = !checkpoints.empty();
    read.standing = read.kept ? stored_standing(checkpoints.back(), count) : Standing(static_cast<std::size_t>(count));
    return read;
}

/// The settings that at least two runs have with different values.
std::set<std::string> differing(const std::vector<ReadRun>& runs) {
    std::map<std::string, std::set<Known>> values;
    for (const ReadRun& run : runs)
        for (const auto& [name, value] : run.settings) values[name].insert(value);
    std::set<std::string> names;
    for (const auto& [name, all] : values)
        if (all.size() > 1) names.insert(name);
    return names;
}

void put_place(FoundReplica& replica, const ReadRun& run) {
    const fs::path below = run.place.below;
    const plot::Role role = role_of(run.setup.model);
    if (below.has_parent_path()) {
        replica.put({"row", "", "", false, {{below.filename().string(), role}}}, below.filename().string());
        replica.put("column", below.parent_path().string());
    }
    const std::string title = title_of(run.setup.model);
    replica.put({"model", "", "", false, {{title, role}}}, title);
    replica.put("task", name_of_task(run.setup.task));
}

void put_replica(FoundReplica& replica, const ReplicaHyper& hyper) {
    if (hyper.dt.max > 0) {
        replica.put("dt_max", hyper.dt.max);
        replica.put("dt_min", hyper.dt.min);
    }
    replica.put("learning_rate", hyper.learning_rate);
    replica.put("weight_decay", hyper.weight_decay);
    replica.put("seed", static_cast<double>(hyper.init_seed));
}

void put_results(FoundReplica& replica, const ReadRun& run, std::size_t r, const ReadRuns& how) {
    std::vector<double> accuracy;
    for (const auto& at_size : run.test.accuracy) accuracy.push_back(at_size[r]);
    put_accuracies(replica, run.test.sizes, accuracy, run.setup.data->chance(), how.size, how.pass);
    if (!run.validation.sizes.empty()) {
        const double loss = run.validation.loss[ranking_size(run.validation.sizes)][r];
        replica.put({"validation_loss", "validation loss", "", true, {}}, std::isfinite(loss) ? Known(loss) : Known());
    }
    const std::int64_t stopped = run.standing.stopped_at[r];
    replica.put({"steps", "", "", true, {}}, static_cast<double>(stopped < 0 ? run.steps : stopped));
    replica.put({"stopped", "", "", true, {}}, std::string(name_of(run.standing.reason[r])));
}

std::vector<FoundReplica> replicas_in(const ReadRun& run, const std::set<std::string>& shown, const ReadRuns& how) {
    std::vector<FoundReplica> found;
    const std::vector<ReplicaHyper> hypers = replicas_of(run.setup.config.replicas);
    const std::string name = run.place.below.empty() ? run.setup.config.name : run.place.below;
    for (std::size_t r = 0; r < hypers.size(); ++r) {
        FoundReplica replica{run.place.path, name + "@" + std::to_string(r)};
        if (run.kept) replica.opens = run.place.path + "@" + std::to_string(r);
        put_place(replica, run);
        for (const auto& [key, value] : run.settings)
            if (shown.count(key) > 0) replica.put(key, value);
        put_replica(replica, hypers[r]);
        replica.put("run", name);
        put_results(replica, run, r, how);
        found.push_back(std::move(replica));
    }
    return found;
}

void add_below(const std::string& root, const fs::path& below, int depth, std::vector<RunPlace>& to) {
    const fs::path here = below.empty() ? fs::path(root) : fs::path(root) / below;
    if (RunDirectory::exists(here.string())) return to.push_back({here.string(), below.string()});
    if (depth == kRunsBelow) return;
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(here, error), end; !error && entry != end; entry.increment(error))
        if (entry->is_directory(error)) names.push_back(entry->path().filename().string());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) add_below(root, below / name, depth + 1, to);
}

}  // namespace

std::vector<RunPlace> runs_below(const std::string& path) {
    std::vector<RunPlace> runs;
    add_below(path, "", 0, runs);
    return runs;
}

FoundRuns find_replicas(const std::vector<RunPlace>& places, const ReadRuns& how) {
    FoundRuns found;
    std::vector<ReadRun> runs;
    for (const RunPlace& place : places) {
        try {
            if (auto run = read_run(place))
                runs.push_back(std::move(*run));
            else
                ++found.unfinished;
        } catch (const UserError& error) {
            found.unreadable.emplace_back(error.what());
        }
    }
    const std::set<std::string> shown = differing(runs);
    for (const ReadRun& run : runs)
        for (FoundReplica& replica : replicas_in(run, shown, how)) found.replicas.push_back(std::move(replica));
    return found;
}

std::vector<std::pair<std::string, Known>> settings_in(const Value& config) {
    Settings settings;
    collect(config, "", settings);
    return settings;
}

}  // namespace whorl::viz
