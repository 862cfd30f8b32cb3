// The list of tasks, fixed at compile time so that devices can call them, and a task as the trainer's source of data.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "core/training/data_source.hpp"
#include "tasks/parity.hpp"

namespace whorl {

/// To add a task: a file like parity.hpp, and its struct here.
using Task = std::variant<Parity>;

/// Each task with its default parameters, in the order of the list.
const std::vector<Task>& all_tasks();

/// A task by name, with its default parameters. Throws UserError with the nearest name.
const Task& find_task(const std::string& name);

std::string name_of_task(const Task& task);
int version_of_task(const Task& task);
std::string about_task(const Task& task);
std::string token_text(const Task& task, std::int32_t token);

/// The task as the trainer sees it; keeps a copy.
std::unique_ptr<DataSource> make_data_source(const Task& task);

/// The parameters in `value`, a table with the key `type`, such as a recipe's [task]. Throws UserError naming key and
/// line.
Task read_task(const Value& value, const Place& place);

}  // namespace whorl
