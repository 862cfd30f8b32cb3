#include "viz/plot/panel_plan.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <set>

#include "viz/plot/end_labels.hpp"
#include "viz/plot/extent.hpp"
#include "viz/plot/headings.hpp"
#include "viz/plot/ticks.hpp"
#include "viz/plot/tracks.hpp"

namespace whorl::plot {

namespace {

void plan_key(PanelPlan& plan, const Theme& theme) {
    std::vector<const Mark*> marks;
    for (std::size_t i = 0; i < plan.label_places.size(); ++i)
        if (plan.label_places[i] == LabelPlace::key) marks.push_back(&plan.panel->marks[i]);
    plan.key = key_of(marks, theme, width_of(plan.cell));
}

/// The row above the frame: the y axis' label, then the key; below it where both are too long.
double row_above(const PanelPlan& plan, const Theme& theme) {
    const double label = plan.y_label.height;
    return key_beside_label(plan, theme) ? std::max(label, plan.key.height) : label + plan.key.height;
}

double widest(const std::vector<Tick>& ticks, const Theme& theme) {
    double width = 0;
    for (const Tick& tick : ticks) width = std::max(width, tick_block(tick, theme).width);
    return width;
}

/// How far ticks reach over the frame's ends.
void make_room_for_x_ticks(PanelPlan& plan, const Theme& theme) {
    for (const Tick& tick : x_ticks(plan, theme)) {
        const double half = tick_block(tick, theme).width / 2, share = share_on(plan.x, tick.at);
        plan.margins.left = std::max(plan.margins.left, half - share * width_of(plan.frame));
        plan.margins.right = std::max(plan.margins.right, half - (1 - share) * width_of(plan.frame));
    }
}

/// How many heights its texts stand at, where they are the panel: a tape.
std::size_t text_levels(const Panel& panel) {
    std::set<double> levels;
    if (!panel.x.shown)
        for (const Mark& mark : panel.marks)
            if (const auto* text = std::get_if<Text>(&mark)) levels.insert(text->at.y);
    return std::min<std::size_t>(levels.size(), 12);
}

}  // namespace

void plan_texts(PanelPlan& plan, const Theme& theme) {
    const Panel& panel = *plan.panel;
    const double width = width_of(plan.cell);
    plan.title = heading(panel.title, theme, theme.title, width);
    plan.subtitle = quiet(panel.subtitle, theme, width);
    if (!panel.canvas && panel.x.shown) plan.x_label = quiet(axis_title(panel.x), theme, width);
    if (!panel.canvas && panel.y.shown) plan.y_label = quiet(axis_title(panel.y), theme, width);
    plan_key(plan, theme);
}

void plan_upright_margins(PanelPlan& plan, const Theme& theme) {
    const Spacing spacing(theme);
    const double titles = plan.title.height + plan.subtitle.height, above = row_above(plan, theme);
    plan.margins.top = titles + above + (titles + above > 0 ? spacing.below_titles : 0);
    if (plan.panel->canvas) return;
    const bool ticks = plan.panel->x.shown;
    plan.margins.bottom = (ticks ? spacing.tick_gap + x_tick_height(plan, theme) : 0) + plan.x_label.height;
}

void plan_level_margins(PanelPlan& plan, const Theme& theme) {
    plan.margins.left = 0;
    plan.margins.right = color_scale_width(plan, theme);
    if (plan.panel->canvas) return;
    const Spacing spacing(theme);
    const double ticks = widest(y_ticks(plan, theme), theme), labels = end_label_width(plan, theme);
    double& of_ticks = plan.labels_left ? plan.margins.right : plan.margins.left;
    double& of_labels = plan.labels_left ? plan.margins.left : plan.margins.right;
    of_ticks += ticks > 0 ? ticks + spacing.tick_gap : 0;
    of_labels += labels;
    make_room_for_x_ticks(plan, theme);
}

void set_frame(PanelPlan& plan) {
    const auto ends = [](double low, double high, double before, double after) {
        const double room = std::max(high - low - before - after, 8.0);
        return Track{low + before, low + before + room};
    };
    const Track x = ends(plan.cell.low.x, plan.cell.high.x, plan.margins.left, plan.margins.right);
    const Track y = ends(plan.cell.low.y, plan.cell.high.y, plan.margins.top, plan.margins.bottom);
    plan.frame = rectangle({x.low, y.low}, {x.high, y.high});
}

void fit_axes(PanelPlan& plan) {
    const Extent extent = extent_of(*plan.panel);
    plan.x = fitted_x(*plan.panel, extent);
    plan.y = fitted_y(*plan.panel, extent);
    if (plan.panel->equal) make_equal(plan.x, plan.y, width_of(plan.frame), height_of(plan.frame));
}

double least_frame_height(const PanelPlan& plan, const Theme& theme) {
    const Panel& panel = *plan.panel;
    if (panel.canvas) return 11 * theme.text;
    const double ticks = line_height(theme.text) * std::min(24.0, static_cast<double>(panel.y.ticks.size()) + 0.5);
    const double texts = 1.9 * theme.text * static_cast<double>(text_levels(panel));
    const bool measured = panel.x.shown || panel.y.shown || color_scale_width(plan, theme) > 0;
    const double axes = (measured ? 6 : 1.6) * theme.text;
    return std::max({axes, ticks, texts, end_label_height(plan, theme)});
}

bool key_beside_label(const PanelPlan& plan, const Theme& theme) {
    return plan.y_label.width + plan.key.width + 2 * theme.text <= width_of(plan.cell);
}

std::string axis_title(const Axis& axis) {
    const bool at_ticks = axis.unit.empty() || axis.unit == "°" || axis.unit == "%";
    if (at_ticks) return axis.label;
    return axis.label.empty() ? axis.unit : axis.label + " (" + axis.unit + ")";
}

TextBlock tick_block(const Tick& tick, const Theme& theme) {
    if (tick.text.find('\n') == std::string::npos) return quiet(tick.text, theme, 1e9);
    const TextStyle style{theme.text, Face::regular, color_of(theme, Role::secondary)};
    return lay_out(tick.text, style, std::numeric_limits<double>::infinity(), Anchor::center);
}

double x_tick_height(const PanelPlan& plan, const Theme& theme) {
    double height = line_height(theme.text);
    for (const Tick& tick : plan.panel->x.ticks) height = std::max(height, tick_block(tick, theme).height);
    return height;
}

std::vector<Tick> x_ticks(const PanelPlan& plan, const Theme& theme) {
    if (plan.panel->canvas || !plan.panel->x.shown) return {};
    const double length = width_of(plan.frame);
    const bool log = plan.x.scale == Scale::log;
    const int count = std::clamp(static_cast<int>(length / ((log ? 3.5 : 5.5) * theme.text)), 2, log ? 10 : 7);
    return ticks_apart(plan.x, length, count, 0.9 * theme.text,
                       [&](const Tick& tick) { return tick_block(tick, theme).width; });
}

std::vector<Tick> y_ticks(const PanelPlan& plan, const Theme& theme) {
    if (plan.panel->canvas || !plan.panel->y.shown) return {};
    const double length = height_of(plan.frame);
    const int count = std::clamp(static_cast<int>(length / (2.7 * theme.text)), 2, plan.y.scale == Scale::log ? 8 : 5);
    return ticks_apart(plan.y, length, count, plan.y.ticks.empty() ? 0.3 * theme.text : 0,
                       [&](const Tick& tick) { return tick_block(tick, theme).height; });
}
}  // namespace whorl::plot
