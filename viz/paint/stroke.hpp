// A line with a width as polygons: round joins, flat ends, dashes.
#pragma once

#include "viz/paint/outlines.hpp"

namespace whorl::plot {

/// The pieces of a polyline that a dash pattern leaves: the line itself where the pattern is empty or no pattern (a
/// length below 0, all 0). A pattern of odd length counts twice, as in SVG.
Contours dashed(const Contour& points, bool closed, const std::vector<double>& dash);

/// Appends the outline of a solid line, to be filled by winding.
void add_stroke(Contours& outline, const Contour& points, bool closed, double width);

/// True where a line has a turn so sharp that its sides overlap: more than 100 degrees.
bool turns_back(const Contour& points);

/// The outlines of all the pieces.
Contours stroke_outline(const Contour& points, bool closed, const Stroke& stroke);

}  // namespace whorl::plot
