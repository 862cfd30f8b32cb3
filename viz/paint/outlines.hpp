// Shapes as closed polygons, which the rasteriser fills.
//
// Filled by their winding: overlapping contours of one direction count once, those of the other direction cut holes.
// Curves become chords that stay within kTolerance pixels of them.
#pragma once

#include <vector>

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

inline constexpr double kTolerance = 0.02;

using Contour = std::vector<Point>;
using Contours = std::vector<Contour>;

/// Clockwise on paper from three o'clock, as SVG does.
Contour outline_of(const Circle& circle);
/// Clockwise on paper from the upper left, behind its corner.
Contour outline_of(const Box& box);
/// A run's letters.
Contours outline_of(const Run& run);

/// The box with low above and left of high, and a corner that it has room for.
Box in_order(const Box& box);

}  // namespace whorl::plot
