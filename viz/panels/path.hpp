// Path: the exact curve of the step lab's equation, and the points where each rule puts it at one step size.
#pragma once

#include "viz/panels/step_lab.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// Re h over time. A rule's line ends where it leaves the panel. Throws as check(lab).
plot::Figure path_figure(const StepLab& lab);

}  // namespace whorl::viz
