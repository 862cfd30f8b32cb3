// How the paper is shared out: claim above, source below, panels on a grid between them.
//
// Panels of one column share their left and right margins and panels of one row their upper and lower ones, so that
// axes under each other can be read off together.
#pragma once

#include <vector>

#include "viz/plot/panel_plan.hpp"

namespace whorl::plot {

struct Layout {
    double width = 0, height = 0;  // of the paper: larger than the figure asks for where its panels need it
    TextBlock claim, subtitle, source;
    Point claim_at, subtitle_at, source_at;
    std::vector<PanelPlan> plans;
};

Layout lay_out(const Figure& figure, const Theme& theme);

}  // namespace whorl::plot
