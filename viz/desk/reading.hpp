// What a state's models read: the state's text, or the view's own, as the task's tokens, up to the cursor.
#pragma once

#include <cstdint>
#include <vector>

#include "viz/data/exhibit.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::viz {

/// The exhibit must have a task. Throws UserError for a text that the task does not write, or one that is too long.
std::vector<std::int32_t> tokens_of(const ViewState& state, const Exhibit& exhibit);

/// The cursor, 1 … count: how many of `count` tokens are read.
std::int64_t cursor_of(const ViewState& state, std::size_t count);

/// The tokens that are read at the cursor.
std::vector<std::int32_t> read_tokens_of(const ViewState& state, const Exhibit& exhibit);

}  // namespace whorl::viz
