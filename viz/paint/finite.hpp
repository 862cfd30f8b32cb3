// Shapes that can be painted: a painter leaves out those whose numbers are not finite, and those that contradict
// themselves.
#pragma once

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

/// Coordinates and lengths are finite, and Cells hold rows · columns > 0 colours.
bool is_finite(const Shape2d& shape);

}  // namespace whorl::plot
