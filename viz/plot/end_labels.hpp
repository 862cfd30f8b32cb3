// Labels in a column beside the frame, at the level of their lines' ends, with leaders where they had to move.
#pragma once

#include <string>
#include <vector>

#include "viz/plot/panel_plan.hpp"

namespace whorl::plot {

/// Decides for every mark of the plan where its label goes, and on which side end labels stand: there where they have
/// to move less, right if equal. Needs the plan's limits and its frame's height.
void plan_labels(PanelPlan& plan, const Theme& theme);

/// Width of the column of labels with its leaders; 0 without any.
double end_label_width(const PanelPlan& plan, const Theme& theme);

/// Height that the column needs.
double end_label_height(const PanelPlan& plan, const Theme& theme);

void draw_end_labels(const PanelPlan& plan, Stage& stage);

/// The scale of a grid's colours, right of the frame.
double color_scale_width(const PanelPlan& plan, const Theme& theme);
void draw_color_scale(const PanelPlan& plan, Stage& stage);

}  // namespace whorl::plot
