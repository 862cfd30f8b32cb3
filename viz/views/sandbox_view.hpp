// The sandbox's controls as a pair of channels, and a drag on its dial as controls.
#pragma once

#include <string>
#include <vector>

#include "viz/panels/sandbox.hpp"
#include "viz/state/view_state.hpp"

namespace whorl::viz {

/// How many neighbouring values stand behind the one under change.
inline constexpr std::size_t kGhosts = 10;

/// The pair that the state's settings describe.
HandPair hand_pair_of(const ViewState& state);

/// The state's text; zeros and ones, blanks left aside. Throws UserError for any other, and an empty one.
std::vector<int> bits_of(const ViewState& state);

/// As far as the cursor. Throws UserError as bits_of.
SandboxData make_sandbox(const ViewState& state);

/// Neighbours of a value by steps of the control, ascending: as many below as above, unless its limits are near.
std::vector<double> neighbours(const std::string& control, double value);

/// The state once the handle `fields` (plot::Handle::id) is dragged to a place of the dial: of all values that a hand
/// can set (whole degrees, hundredths), those whose handle lies nearest to it. Unchanged for what is no handle.
ViewState dragged(const ViewState& state, const std::string& fields, plot::Point to);

}  // namespace whorl::viz
