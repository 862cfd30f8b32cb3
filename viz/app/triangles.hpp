// A polygon, convex or not, as triangles.
#pragma once

#include <array>
#include <vector>

#include "viz/paint/outlines.hpp"

namespace whorl::view {

/// Twice the area, positive where the polygon runs clockwise on paper (y downwards).
double signed_area(const plot::Contour& points);

/// Cuts off ears until three corners are left: points.size() - 2 triangles of indices, for a polygon that runs
/// clockwise and does not cross itself; some that overlap for one that does.
std::vector<std::array<int, 3>> triangles(const plot::Contour& points);

}  // namespace whorl::view
