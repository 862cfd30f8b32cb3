// Which task a stored model was made for.
#pragma once

#include <optional>
#include <string>

#include "core/io/checkpoint_file.hpp"
#include "tasks/registry.hpp"

namespace whorl {

/// What the model's file says, or else the run that `path`, or the checkpoint's folder, belongs to; empty where neither
/// tells. Throws UserError for a file that says it wrongly.
std::optional<Task> task_of_model(const LoadedModel& model, const std::string& path);

/// The task as LoadedModel::task stores it.
std::string stored_task(const Task& task);

}  // namespace whorl
