// A scrub as pictures, one a token, or one a moment of a training: for slides and films, without a display.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "viz/app/arguments.hpp"
#include "viz/desk/desk.hpp"

namespace whorl::view {

/// The states of `state` at the moments of a training, from its first step to its last.
std::vector<viz::ViewState> scrub(const viz::Moments& moments, const viz::ViewState& state);

/// The states of a cursor that moves over the text of `state`, from its first token to its last. Throws UserError where
/// the view reads no text, and as Desk::text.
std::vector<viz::ViewState> scrub(viz::Desk& desk, const viz::ViewState& state);

/// Writes arguments.frames/0001.png …, a picture of the window each, and returns how many; what is trained live is
/// trained to its end first. Throws UserError where that
/// folder holds something already, before anything is written.
std::int64_t write_frames(const ViewArguments& arguments);

}  // namespace whorl::view
