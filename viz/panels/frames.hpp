// One step of a Mamba-3 pair in both its frames: standing still, where the state turns, and turning along, where B and
// C do. What is read is the same number.
#pragma once

#include "viz/panels/dial.hpp"

namespace whorl::viz {

/// What was kept, what was added, what C reads, at the chosen step; in the frame that stands still.
plot::Panel still_frame_panel(const Dial& dial);
/// The same turned by φ of that step. Needs dial.steps.phase.
plot::Panel turning_frame_panel(const Dial& dial);

/// What C reads of the state along the chosen channels, at the chosen step.
double readout_of(const Dial& dial);

}  // namespace whorl::viz
