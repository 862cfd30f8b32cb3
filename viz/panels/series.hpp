// One value a position, as points of a line.
#pragma once

#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// values[0] at position 1, and so on.
inline std::vector<plot::Point> points_of(const std::vector<double>& values) {
    std::vector<plot::Point> points;
    for (std::size_t t = 0; t < values.size(); ++t) points.push_back({static_cast<double>(t + 1), values[t]});
    return points;
}

}  // namespace whorl::viz
