#include "app/run/setup.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "app/run/built_in.hpp"
#include "app/run/config_difference.hpp"
#include "app/run/manifest.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/toml_file.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl {
namespace {

void check_sizes(EvaluationConfig& on, const char* key, const RunSetup& run, const std::string& source) {
    if (on.sizes.empty()) on.sizes = {run.config.training.curriculum.largest()};
    for (const std::int64_t size : on.sizes) check_size(run.task, size, source + ": " + key);
}

// What a range of step sizes makes of the model's parameters: those that begin with a step size, in float32.
std::vector<float> starts_of(const ParameterLayout& layout, const DtRange& range) {
    std::vector<float> starts;
    for (const ParameterInfo& parameter : layout.parameters()) {
        if (parameter.init.kind != InitKind::step_size) continue;
        const Initializer& own = parameter.init;
        for (const double end : {range.max > 0 ? range.min : own.a, range.max > 0 ? range.max : own.b})
            starts.push_back(static_cast<float>(end));
    }
    return starts;
}

// Two ranges that the model makes the same of are copies of one replica, which must not count as two.
void check_ranges(const RunSetup& run, const std::string& source) {
    const std::vector<DtRange>& ranges = run.config.replicas.dt_ranges;
    if (ranges.size() < 2) return;
    const ParameterLayout layout(run.model);
    std::map<std::vector<float>, const DtRange*> seen;
    for (const DtRange& range : ranges) {
        const auto [other, fresh] = seen.emplace(starts_of(layout, range), &range);
        if (fresh) continue;
        throw UserError(
            fmt::format("{}: replicas.dt_range: {{ min = {}, max = {} }} and {{ min = {}, max = {} }} are the same for "
                        "this model{}; "
                        "that makes copies of one replica, not more seeds",
                        one_line(source), other->second->min, other->second->max, range.min, range.max,
                        other->first.empty() ? ", which has no step sizes" : ""));
    }
}

Document built_in(const std::string& name) {
    std::vector<std::string> names;
    for (const BuiltInText& recipe : built_in_recipes()) {
        if (name == recipe.name) return parse_toml(recipe.text, name + ".toml (built in)");
        names.emplace_back(recipe.name);
    }
    throw UserError("no file and no built-in recipe is named " + in_quotes(name) + suggestion(name, names));
}

}  // namespace

RunSetup set_up(const Document& recipe) {
    RunSetup run;
    read_config(recipe, run.config);
    run.task = read_task(run.config.task, Place{&recipe.source, "task"});
    run.data = make_data_source(run.task);
    run.model = model_of(run.config.model, run.data->vocabulary(), recipe.source);
    check_ranges(run, recipe.source);
    run.config.model = ModelChoice{};
    run.config.model.config = run.model;
    run.config.task = to_value(run.task);
    if (!run.config.determinism) run.config.determinism = determinism_of(run.config.training);
    check_curriculum(run.config.training.curriculum, *run.data, recipe.source + ": curriculum");
    check_sizes(run.config.validation.on, "validation.sizes", run, recipe.source);
    check_sizes(run.config.test, "test.sizes", run, recipe.source);
    return run;
}

std::vector<ShareEstimate> check_devices(const RunSetup& run, const Devices& devices, const GroupRequest& request) {
    devices.set_precision(run.config.precision);
    const GroupRequest asked = run.config.training.data_parallel > 1 ? same_for_all(request, devices) : request;
    const auto works = shares_of_work(run.config.training, run.config.replicas.count(), devices.size());
    std::vector<ShareEstimate> estimates;
    for (std::size_t i = 0; i < works.size(); ++i) {
        devices[i].attach();
        estimates.push_back(
            estimate_share(run.config.training, run.model, *run.data, works[i], devices[i], asked,
                           {{run.config.validation.on, "validation.sizes"}, {run.config.test, "test.sizes"}}));
    }
    devices.first().attach();
    const std::string reason = run.config.training.data_parallel > 1 ? why_no_communicator() : "";
    if (!reason.empty()) throw UserError("data_parallel: " + reason);
    return estimates;
}

Document load_recipe(const std::string& name, const std::vector<std::string>& assignments) {
    std::error_code error;
    Document document = std::filesystem::exists(name, error) ? load_toml(name) : built_in(name);
    for (const std::string& assignment : assignments) apply_override(document, assignment);
    return document;
}

RunDirectory open_or_create(const std::string& path, const RunSetup& setup) {
    if (!RunDirectory::exists(path)) return RunDirectory::create(path, setup.toml());
    RunDirectory run = RunDirectory::open(path);
    run.hold();
    const RunSetup there = load_setup(run);
    const auto differences = config_differences(to_value(there.config), to_value(setup.config));
    if (!differences.empty())
        throw UserError(one_line(path + ": holds a run of another recipe (" + difference_text(differences) +
                                 "); choose another --out"));
    return run;
}

}  // namespace whorl
