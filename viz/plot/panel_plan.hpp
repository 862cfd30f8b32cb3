// One panel's share of the paper: its cell, the margins around its data, and what stands in them.
#pragma once

#include <string>
#include <vector>

#include "viz/plot/key.hpp"
#include "viz/plot/stage.hpp"

namespace whorl::plot {

struct Margins {
    double left = 0, right = 0, top = 0, bottom = 0;
};

struct PanelPlan {
    const Panel* panel = nullptr;
    Axis x, y;                                    // with limits
    Box cell, frame;                              // of the panel, and of its data
    TextBlock title, subtitle, x_label, y_label;  // a canvas has its labels inside
    std::vector<LabelPlace> label_places;         // one a mark
    Key key;
    bool labels_left = false;  // labels at line ends stand left, then the y ticks stand right
    Margins margins;
};

/// Titles, axis labels and the key, as wide as the cell allows.
void plan_texts(PanelPlan& plan, const Theme& theme);

/// Above and below the frame; needs the texts.
void plan_upright_margins(PanelPlan& plan, const Theme& theme);

/// Beside the frame; needs its height and the axes' limits.
void plan_level_margins(PanelPlan& plan, const Theme& theme);

/// The cell less the margins.
void set_frame(PanelPlan& plan);

/// Limits from the marks; those of equal axes depend on the frame.
void fit_axes(PanelPlan& plan);

/// Height of the frame below which the panel says nothing: room for its labels, its ticks, the rows of a tape.
double least_frame_height(const PanelPlan& plan, const Theme& theme);

/// The ticks that fit on the frame; empty for an axis that is not shown.
std::vector<Tick> x_ticks(const PanelPlan& plan, const Theme& theme);
std::vector<Tick> y_ticks(const PanelPlan& plan, const Theme& theme);
TextBlock tick_block(const Tick& tick, const Theme& theme);
/// Of one line, or of the most lines that a given tick has.
double x_tick_height(const PanelPlan& plan, const Theme& theme);

/// "label (unit)"; ° and % stand at the ticks instead.
std::string axis_title(const Axis& axis);

/// Whether the y axis' label and the key fit into one row.
bool key_beside_label(const PanelPlan& plan, const Theme& theme);

}  // namespace whorl::plot
