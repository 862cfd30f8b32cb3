#include "app/cli/model_weights.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "app/cli/model_description.hpp"
#include "app/cli/outputs.hpp"
#include "app/run/config_difference.hpp"
#include "app/run/model_task.hpp"
#include "app/run/shipped_models.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "core/model/constructed/constructed.hpp"

namespace whorl::cli {
namespace {

Value numbers(const std::vector<double>& values) {
    Array array;
    for (const double value : values) array.push_back({value});
    return {std::move(array)};
}

Value sizes_value(const std::vector<std::int64_t>& sizes) {
    Array array;
    for (const std::int64_t size : sizes) array.push_back({size});
    return {std::move(array)};
}

/// Of the scores, as "size 40: 100 %, …": found where there is that, else accuracy.
std::string scores_text(const ShippedModel& model) {
    const auto& scores = model.found.empty() ? model.accuracy : model.found;
    std::string text = model.found.empty() ? "right" : "found";
    for (std::size_t i = 0; i < scores.size(); ++i)
        text += fmt::format("{} {:.0f} % at {}", i == 0 ? "" : ",", 100 * scores[i], model.sizes[i]);
    return text;
}

// --- what differs between the two kinds ------------------------------------------------------------------------------

Table row_of(const NamedModel& model) {
    return {{"name", {model.name}}, {"task", {name_of_task(model.task)}}, {"description", {model.description}}};
}

Table row_of(const ShippedModel& model) {
    Table row = row_of(named_model(model.name));
    row.push_back({"recipe", {model.recipe}});
    row.push_back({"chosen", {model.chosen}});
    row.push_back({"sizes", sizes_value(model.sizes)});
    row.push_back({"accuracy", numbers(model.accuracy)});
    if (!model.found.empty()) row.push_back({"found", numbers(model.found)});
    row.push_back({"command", {command_of(model)}});
    return row;
}

/// What --describe says of a model beside its shape.
std::string about(const NamedModel& model) {
    if (!model.trained) return model.description;
    const ShippedModel& shipped = shipped_model(model.name);
    return fmt::format("{}; {}; {}\n\n    {}", shipped.description, shipped.chosen, scores_text(shipped),
                       command_of(shipped));
}

void list(bool trained, bool json) {
    Array rows;
    for (const std::string& name : named_models()) {
        const NamedModel model = named_model(name);
        if (model.trained != trained) continue;
        rows.push_back({trained ? row_of(shipped_model(name)) : row_of(model)});
        if (json) continue;
        fmt::print("{:<{}} {:<12} {}{}\n", name, trained ? 24 : 20, name_of_task(model.task), model.description,
                   trained ? fmt::format(" ({})", scores_text(shipped_model(name))) : "");
    }
    if (json) std::puts(write_json({std::move(rows)}, 2).c_str());
}

/// A model of that kind by name; the other kind's names are not offered.
NamedModel model_of_kind(const std::string& name, bool trained) {
    return named_model(trained ? shipped_model(name).name : constructed_model(name).name);
}

// --- written ---------------------------------------------------------------------------------------------------------

/// "--task needle --set value_tokens=3": what makes `eval` ask for the task as it is.
std::string task_options(const Task& task) {
    std::string text = "--task " + name_of_task(task);
    for (const auto& one : config_differences(to_value(find_task(name_of_task(task))), to_value(task)))
        text += " --set " + one.key + "=" + one.b;
    return text;
}

void write(const NamedModel& model, const std::string& out, bool json) {
    require_safetensors_name(out);
    if (model.trained)
        write_file(out, shipped_model(model.name).bytes);
    else
        save_model(out, model.config, model.slice, stored_task(model.task));
    if (json) {
        const Table row{{"out", {out}}, {"name", {model.name}}, {"task", {name_of_task(model.task)}}};
        std::puts(write_json({row}).c_str());
        return;
    }
    fmt::print("{}: {}, {} parameters; try: whorl eval {} {} --lengths 64,{}\n", one_line(out), model.name,
               ParameterLayout(model.config).count(), one_line(out), task_options(model.task),
               model.trained ? 160 : 4096);
}

void check_together(const Parsed& parsed) {
    for (const char* flag : {"d-model", "n-layer", "vocab-size", "d-state", "headdim", "d-intermediate"})
        if (parsed.has(flag))
            throw UserError(fmt::format("--{} belongs to presets; models with weights have their own sizes", flag));
    if (parsed.has("name") && parsed.has("describe"))
        throw UserError("whorl models: give either --describe or --name with --out");
    if (parsed.has("name") && !parsed.has("out"))
        throw UserError("whorl models: --name needs --out, the .safetensors file to write");
    if (parsed.has("out") && !parsed.has("name"))
        throw UserError("whorl models: --out needs --name, the model to write");
}

}  // namespace

void run_weights(const Parsed& parsed) {
    const std::string kind = parsed.text("weights");
    if (kind != "constructed" && kind != "trained")
        throw UserError("--weights: unknown kind " + in_quotes(kind) + suggestion(kind, {"constructed", "trained"}));
    const bool trained = kind == "trained", json = parsed.flag("json");
    check_together(parsed);
    if (parsed.has("name")) return write(model_of_kind(parsed.text("name"), trained), parsed.text("out"), json);
    if (!parsed.has("describe")) return list(trained, json);
    const NamedModel model = model_of_kind(parsed.text("describe"), trained);
    show({model.name, about(model), model.config, ParameterLayout(model.config)}, json);
}

}  // namespace whorl::cli
