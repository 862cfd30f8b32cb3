// Cells as boxes, without seams between them.
#pragma once

#include <vector>

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

/// One for each run of equal colours in a row, in the order of painting. Smoothed edges of two boxes side by side let
/// the ground shine through, so each box reaches under its right and lower neighbour, where no cell is transparent.
std::vector<Box> boxes_of(const Cells& cells);

}  // namespace whorl::plot
