// The needle's views by their controls: one text with its needle where the reader puts it, and a map of many.
#pragma once

#include <cstdint>
#include <vector>

#include "viz/data/shown_model.hpp"
#include "viz/panels/needle_map.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::viz {

/// An example of the task up to its question, by the controls length, depth, example and swap (the needle's value
/// another one). Throws UserError for a length that the task does not have.
std::vector<std::int32_t> needle_text(const Needle& task, const ViewState& state);

/// Lengths from the longest of its training to sixteen times that, by depth. Throws as make_needle_map.
NeedleMap needle_map_of(const ShownModel& model);

/// The text that stands for a cell of a map: its length and depth, as its panel's ticks say them.
ViewState text_of_cell(const ViewState& map, const plot::Panel& panel, plot::Point data);

}  // namespace whorl::viz
