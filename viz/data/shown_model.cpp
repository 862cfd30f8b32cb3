#include "viz/data/shown_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/inference/finite.hpp"
#include "app/run/manifest.hpp"
#include "app/run/model_task.hpp"
#include "app/run/shipped_models.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/data/kept_moments.hpp"
#include "viz/data/three_verbs.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::viz {
namespace {

constexpr std::string_view kTrained = "trained: ";

/// "plain" of runs/plain/checkpoints/step-1500/model.safetensors, "parity" of parity.safetensors.
std::string short_name(const std::string& path) {
    namespace fs = std::filesystem;
    const fs::path given = fs::path(path).lexically_normal();
    const fs::path last = given.has_filename() ? given : given.parent_path();
    return plot::literal(last.extension() == ".safetensors" ? last.stem().string() : last.filename().string());
}

std::int64_t trained_size_of(const std::string& path) {
    const std::filesystem::path given = path;
    for (const auto& folder : {given, given.parent_path().parent_path()})
        if (RunDirectory::exists(folder.string())) {
            const RunSetup setup = load_setup(RunDirectory::open(folder.string()));
            return setup.config.training.curriculum.largest();
        }
    return 0;
}

ShownModel from_shipped(const ShippedModel& model) {
    const LoadedModel loaded = load(model);
    const RunSetup setup = setup_of(model);
    return {{title_of(loaded.config), std::string(kTrained) + model.name, loaded.config, loaded.slice, setup.task},
            setup.config.training.curriculum.largest()};
}

ShownModel from_file(const std::string& source, const ReplicaChoice& choice, const std::optional<Task>& task) {
    const LoadedModel loaded = load_model(source, choice);
    if (const std::string what = nonfinite_parameter(loaded); !what.empty())
        throw UserError(behind_notes(loaded.notes, what));
    ShownModel model;
    model.notes = loaded.notes;
    model.exhibit = {title_of(loaded.config), short_name(source), loaded.config, loaded.slice,
                     task ? task : task_of_model(loaded, source)};
    if (loaded.replicas > 1) model.exhibit.about += fmt::format(", replica {}", loaded.replica);
    model.trained_size = trained_size_of(source);
    return model;
}

/// Throws UserError with the nearest name.
ShownModel shipped_by_name(const std::string& source) {
    std::vector<std::string> names;
    for (const ShippedModel& model : shipped_models()) {
        if (model.name == source) return from_shipped(model);
        names.push_back(model.name);
    }
    for (const ConstructedModel& model : constructed_models()) {
        if (model.name == source) return {exhibit_of(model), 0};
        names.push_back(model.name);
    }
    if (const ConstructedModel slider = sliding_mamba2(); slider.name == source) return {exhibit_of(slider), 0};
    throw UserError(in_quotes(source) + ": no such file or run, nor a model that ships with the program" +
                    suggestion(source, names));
}

/// The indices of models that are called as another one is.
std::vector<std::size_t> same_names(const std::vector<ShownModel>& models) {
    std::vector<std::size_t> same;
    for (std::size_t i = 0; i < models.size(); ++i)
        if (std::count_if(models.begin(), models.end(),
                          [&](const ShownModel& other) { return other.exhibit.name == models[i].exhibit.name; }) > 1)
            same.push_back(i);
    return same;
}

}  // namespace

ShownModel load_shown(const std::string& source, const ReplicaChoice& choice, const std::optional<Task>& task) {
    std::error_code error;
    if (std::filesystem::exists(source, error)) return from_file(source, choice, task);
    ShownModel model = shipped_by_name(source);
    if (task) model.exhibit.task = task;
    return model;
}

SourceName source_name(const std::string& source) {
    std::error_code error;
    const std::size_t at = source.rfind('@');
    if (at == std::string::npos || std::filesystem::exists(source, error)) return {source, ""};
    return {source.substr(0, at), source.substr(at + 1)};
}

bool is_run(const std::string& source) {
    return RunDirectory::exists(source_name(source).path);
}

ShownModel load_moment(const std::string& source, std::int64_t step) {
    const SourceName name = source_name(source);
    const auto moment = moment_at(kept_moments(RunDirectory::open(name.path)), step);
    if (!moment) throw UserError(one_line(name.path + ": this run has kept no parameters yet"));
    ReplicaChoice choice = replica_choice(name.replica.empty() ? "best" : name.replica);
    // A snapshot does not say which one is best: the run's last validation does.
    if (choice.best) choice = {load_model(name.path, choice).replica, false};
    ShownModel shown = load_shown(moment->path, choice);
    shown.exhibit.about = short_name(name.path);
    if (choice.index > 0 || !name.replica.empty()) shown.exhibit.about += fmt::format(", replica {}", choice.index);
    shown.exhibit.about += fmt::format(", step {}", moment->step);
    return shown;
}

void name_apart(std::vector<ShownModel>& models, const std::vector<std::string>& sources) {
    for (const std::size_t i : same_names(models)) {
        std::string& about = models[i].exhibit.about;
        models[i].exhibit.name =
            about.compare(0, kTrained.size(), kTrained) == 0 ? about.substr(kTrained.size()) : about;
        about.clear();
    }
    for (const std::size_t i : same_names(models)) models[i].exhibit.name = sources[i];
}

}  // namespace whorl::viz
