// One sequence as a user gives it: --tokens, or --text as the model's task writes it.
#pragma once

#include <cstdint>
#include <vector>

#include "app/cli/options.hpp"
#include "app/run/model_task.hpp"

namespace whorl::cli {

/// The task by --task, else the model's own (model_task.hpp); empty where neither is there.
std::optional<Task> task_of(const Parsed& parsed, const LoadedModel& model, const std::string& path);

/// The sequence of --tokens or --text, of which exactly one must be given; tokens within the model's vocabulary. Throws
/// UserError, also for a --text of no known task.
std::vector<std::int32_t> sequence_of(const Parsed& parsed, const LoadedModel& model);
std::vector<std::int32_t> sequence_of(const Parsed& parsed, const std::optional<Task>& task, std::int64_t vocabulary);

}  // namespace whorl::cli
