// From a recipe to everything a run needs: the place where config, task and model meet.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/backend/devices.hpp"
#include "core/io/run_directory.hpp"
#include "core/training/grouping.hpp"
#include "core/training/run_config.hpp"
#include "core/training/share.hpp"
#include "tasks/registry.hpp"

namespace whorl {

struct RunSetup {
    RunConfig config;  // resolved: the model in full, all sizes given
    ModelConfig model;
    Task task;
    std::unique_ptr<DataSource> data;

    /// config.toml. Reading it back gives the same setup.
    std::string toml() const { return to_toml(config); }
};

/// Reads and resolves a recipe. Throws UserError naming file, line and key.
RunSetup set_up(const Document& recipe);

/// Throws UserError where the devices cannot do the run, before anything is written: the precision is not theirs, the
/// memory of one does not hold its share (says how many replicas fit), or data_parallel asks for others. Returns what
/// each device's share takes.
std::vector<ShareEstimate> check_devices(const RunSetup& run, const Devices& devices, const GroupRequest& request);

/// The file at `name`, or else the recipe that is built into the program under that name ("parity-quick"), with
/// `assignments` (--set) applied. Throws UserError with the nearest name.
Document load_recipe(const std::string& name, const std::vector<std::string>& assignments);

/// The run of `setup` at `path`, made if there is none, and held. Throws UserError when the folder holds a run of
/// another recipe, or when another process works on it.
RunDirectory open_or_create(const std::string& path, const RunSetup& setup);

}  // namespace whorl
