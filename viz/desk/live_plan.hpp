// What the time machine's controls say as a plan to train by, and in words for the list of what was tried.
#pragma once

#include <string>

#include "viz/desk/live_training.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::viz {

LivePlan live_plan(const ViewState& state);

/// "rate 0.004, Δ 0.5 to 2, seed 3": what tells it from another.
std::string plan_words(const ViewState& state);

/// "100 % at 40, 61 % at 160": the chosen replica's last accuracies at the smallest and largest size; "" before there
/// are any.
std::string result_words(const TrainingData& data);

/// "size 40: 59 % right", a line a size, of the last row that is not later than `step`.
std::vector<std::string> accuracy_lines(const TrainingData& data, std::int64_t step);

/// Whether the state shows a training that a run on disk holds, rather than one that is made here.
bool shows_stored_training(const ViewState& state);
/// What is said in place of a stored run's figure before there is one.
std::string waiting_words(const LiveSnapshot& run, const std::string& source);
/// Whether rows of both are of the same steps, as far as both go.
bool same_rows(const TrainingData& one, const TrainingData& other);

}  // namespace whorl::viz
