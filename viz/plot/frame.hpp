// What surrounds a panel's data: ground, grid, axes, ticks, titles.
#pragma once

#include "viz/plot/panel_plan.hpp"

namespace whorl::plot {

void draw_ground(const PanelPlan& plan, Stage& stage);
void draw_axes(const PanelPlan& plan, Stage& stage);
void draw_titles(const PanelPlan& plan, Stage& stage);

}  // namespace whorl::plot
