// Views that were found while playing around become the steps of a lesson.
#pragma once

#include <string>

#include "viz/desk/desk.hpp"

namespace whorl::viz {

/// Writes a [[step]] with the state, and what its figure says as a first sentence, behind what the lesson in `path`
/// holds; begins the lesson where there is no file. The file stays as its author wrote it. The number of steps. Throws
/// UserError where the file is no lesson, the state has no figure, or its link is too long.
std::size_t append_step(const std::string& path, Desk& desk, const ViewState& state);

}  // namespace whorl::viz
