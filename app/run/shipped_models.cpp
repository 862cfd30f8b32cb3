#include "app/run/shipped_models.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/model/constructed/constructed.hpp"

namespace whorl {

template <class V>
void describe(V& v, ShippedModel& c) {
    v.field("name", c.name, required());
    v.field("description", c.description, required());
    v.field("recipe", c.recipe, required());
    v.field("set", c.set);
    v.field("chosen", c.chosen);
    v.field("sizes", c.sizes);
    v.field("accuracy", c.accuracy);
    v.field("found", c.found);
}

namespace {

struct ModelList {
    std::vector<ShippedModel> models;
};

template <class V>
void describe(V& v, ModelList& c) {
    v.field("model", c.models, required());
}

std::vector<ShippedModel> read_list() {
    std::vector<ShippedModel> models = read_config<ModelList>(parse_toml(shipped_list(), "models.toml")).models;
    for (ShippedModel& model : models) {
        const auto file = std::find_if(shipped_files().begin(), shipped_files().end(),
                                       [&](const ShippedFile& one) { return one.name == model.name; });
        if (file == shipped_files().end()) throw std::logic_error("experiments/models lacks " + model.name);
        model.bytes = file->bytes;
    }
    return models;
}

// A word of a command line for a shell.
std::string shell_word(const std::string& text) {
    const bool plain = text.find_first_of(" {}*?\"'$") == std::string::npos;
    return plain ? text : "\"" + text + "\"";
}

}  // namespace

const std::vector<ShippedModel>& shipped_models() {
    static const std::vector<ShippedModel> models = read_list();
    return models;
}

const ShippedModel& shipped_model(const std::string& name) {
    std::vector<std::string> names;
    for (const ShippedModel& model : shipped_models()) {
        if (model.name == name) return model;
        names.push_back(model.name);
    }
    throw UserError("unknown trained model " + in_quotes(name) + suggestion(name, names));
}

RunSetup setup_of(const ShippedModel& model) {
    return set_up(load_recipe(model.recipe, model.set));
}

std::string command_of(const ShippedModel& model) {
    const std::string run = "runs/" + model.name;
    std::string command = "whorl train " + model.recipe;
    for (const std::string& assignment : model.set) command += " --set " + shell_word(assignment);
    return command + " --out " + run + " && whorl export " + run + " --out " + model.name + ".safetensors";
}

LoadedModel load(const ShippedModel& model) {
    return load_model(std::as_bytes(std::span(model.bytes)), model.name);
}

std::vector<std::string> named_models() {
    std::vector<std::string> names;
    for (const ConstructedModel& model : constructed_models()) names.push_back(model.name);
    for (const ShippedModel& model : shipped_models()) names.push_back(model.name);
    return names;
}

NamedModel named_model(const std::string& name) {
    for (const ConstructedModel& model : constructed_models())
        if (model.name == name)
            return {name, model.description, false, find_task(model.task), model.config, model.slice};
    for (const ShippedModel& model : shipped_models()) {
        if (model.name != name) continue;
        const LoadedModel loaded = load(model);
        return {name, model.description, true, setup_of(model).task, loaded.config, loaded.slice};
    }
    throw UserError("unknown model " + in_quotes(name) + suggestion(name, named_models()));
}

}  // namespace whorl
