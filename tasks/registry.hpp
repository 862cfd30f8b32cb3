// The list of tasks, fixed at compile time so that devices can call them, and a task as the trainer's source of data.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "tasks/cycle_navigation.hpp"
#include "tasks/data_source.hpp"
#include "tasks/even_pairs.hpp"
#include "tasks/example.hpp"
#include "tasks/flip_flop.hpp"
#include "tasks/group_word.hpp"
#include "tasks/induction.hpp"
#include "tasks/markov.hpp"
#include "tasks/modular_arithmetic.hpp"
#include "tasks/modular_arithmetic_brackets.hpp"
#include "tasks/modular_sum.hpp"
#include "tasks/mqar.hpp"
#include "tasks/needle.hpp"
#include "tasks/parity.hpp"
#include "tasks/selective_copy.hpp"
#include "tasks/text.hpp"

namespace whorl {

/// To add a task: a file like parity.hpp, and its struct here.
using Task = std::variant<Parity, ModularSum, ModularArithmetic, ModularArithmeticBrackets, CycleNavigation, EvenPairs,
                          GroupWord, Needle, Mqar, Induction, Markov, ByteText, SelectiveCopy, FlipFlop>;

/// Each task with its default parameters, in the order of the list.
const std::vector<Task>& all_tasks();

/// A task by name, with its default parameters. Throws UserError with the nearest name.
const Task& find_task(const std::string& name);

/// The same with `assignments`, such as "supervise=all", to its parameters. Throws UserError naming the key.
Task find_task(const std::string& name, const std::vector<std::string>& assignments);

std::string name_of_task(const Task& task);
int version_of_task(const Task& task);
std::string about_task(const Task& task);
std::string token_text(const Task& task, std::int32_t token);
/// An example on one line as people write it, such as an expression with its value; empty when the task, or its
/// options, have no such text.
std::string example_text(const Task& task, const Example& example);

/// Throws UserError, beginning with `where`, with the nearest size that the task can make; returns `size`.
std::int64_t check_size(const Task& task, std::int64_t size, const std::string& where);

/// The task's generator on the backend's device (gpu/layers/batch.cu), for batches of up to `length` positions; null
/// where the device is the host, or cannot.
std::unique_ptr<DeviceBatch> make_device_batch(const Task& task, Backend& backend, std::int64_t length);

/// The task as the trainer sees it; keeps a copy.
std::unique_ptr<DataSource> make_data_source(const Task& task);

/// The parameters in `value`, a table with the key `type`, such as a recipe's [task]; of `text` the file is read.
/// Throws UserError naming key and line.
Task read_task(const Value& value, const Place& place);

}  // namespace whorl
