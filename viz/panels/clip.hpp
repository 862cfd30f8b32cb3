// Lines cut where they leave a panel, so that a figure holds what is seen of them.
#pragma once

#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// The parts of a polyline between two heights, ends on the edge where it crosses, with a point that is not finite
/// between two parts. Points that are not finite are outside.
std::vector<plot::Point> between_heights(const std::vector<plot::Point>& line, double low, double high);

/// The same along x.
std::vector<plot::Point> between_widths(const std::vector<plot::Point>& line, double low, double high);

/// The first part of what these return.
std::vector<plot::Point> first_part(const std::vector<plot::Point>& parts);

}  // namespace whorl::viz
