// The ends of lines that labels in the margin belong to.
#pragma once

#include <string>
#include <vector>

#include "viz/plot/panel_plan.hpp"

namespace whorl::plot {

/// In data, from left to right.
struct Ends {
    Point first, last;
};

struct EndPoint {
    std::string id, label;
    Style style;
    Ends ends;
};

/// Of all marks whose label place is `end`.
std::vector<EndPoint> end_points(const PanelPlan& plan);

}  // namespace whorl::plot
