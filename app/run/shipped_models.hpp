// Trained models that ship with the program (experiments/models), so that there is something to look at before anything
// was trained. Each is one replica of a built-in recipe, and can be made again bit by bit by the command it names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/run/setup.hpp"
#include "core/io/checkpoint_file.hpp"

namespace whorl {

struct ShippedModel {
    std::string name;
    std::string description;
    std::string recipe;            // built in
    std::vector<std::string> set;  // what differs from it (--set): the one replica, among other things
    std::string chosen;            // from how many, and how
    std::vector<std::int64_t> sizes;
    std::vector<double> accuracy,
        found;                 // test split, at each of `sizes`; found only where answers have several tokens
    std::string_view bytes{};  // the .safetensors file
};

/// In the order of experiments/models/models.toml.
const std::vector<ShippedModel>& shipped_models();
/// Throws UserError with the nearest name for an unknown one.
const ShippedModel& shipped_model(const std::string& name);

/// The training that makes it: its config, task and data.
RunSetup setup_of(const ShippedModel& model);
/// "whorl train parity-quick --set … --out runs/NAME && whorl export runs/NAME --out NAME.safetensors"
std::string command_of(const ShippedModel& model);
LoadedModel load(const ShippedModel& model);

/// A model by name, whether its weights were set by hand (core/model/constructed) or trained.
struct NamedModel {
    std::string name, description;
    bool trained = false;
    Task task;
    ModelConfig config;
    std::vector<double> slice;  // as ParameterLayout(config) lays it out
};

/// Constructed ones first.
std::vector<std::string> named_models();
/// Throws UserError with the nearest name.
NamedModel named_model(const std::string& name);

/// experiments/models as it was when the program was built.
struct ShippedFile {
    std::string_view name, bytes;
};
const std::vector<ShippedFile>& shipped_files();
const char* shipped_list();

}  // namespace whorl
