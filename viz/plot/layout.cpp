#include "viz/plot/layout.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "viz/plot/end_labels.hpp"
#include "viz/plot/headings.hpp"
#include "viz/plot/tracks.hpp"

namespace whorl::plot {

namespace {

int rows_of(const Figure& figure) {
    int rows = 0;
    for (const Panel& panel : figure.panels) rows = std::max(rows, panel.row + panel.rows);
    return rows;
}

int columns_of(const Figure& figure) {
    int columns = 0;
    for (const Panel& panel : figure.panels) columns = std::max(columns, panel.column + panel.columns);
    return columns;
}

std::size_t index(int i) {
    return static_cast<std::size_t>(i);
}
using Share = double Margins::*;

/// The largest margin of those panels that `together` says belong to each other.
template <class Together>
void share_margin(std::vector<PanelPlan>& plans, Share margin, Together together) {
    for (PanelPlan& plan : plans) {
        double largest = plan.margins.*margin;
        for (const PanelPlan& other : plans)
            if (together(*plan.panel, *other.panel)) largest = std::max(largest, other.margins.*margin);
        plan.margins.*margin = largest;
    }
}

/// Canvases have no axis to align, and a tape aligns only with what is exactly above or below it.
bool aligned(const Panel& a, const Panel& b) {
    if (a.canvas || b.canvas) return false;
    return (a.column == b.column && a.columns == b.columns) || (a.x.shown && b.x.shown);
}

void share_upright(std::vector<PanelPlan>& plans) {
    share_margin(plans, &Margins::top, [](const Panel& a, const Panel& b) { return a.row == b.row; });
    share_margin(plans, &Margins::bottom,
                 [](const Panel& a, const Panel& b) { return a.row + a.rows == b.row + b.rows; });
}

void share_level(std::vector<PanelPlan>& plans) {
    share_margin(plans, &Margins::left,
                 [](const Panel& a, const Panel& b) { return a.column == b.column && aligned(a, b); });
    share_margin(plans, &Margins::right, [](const Panel& a, const Panel& b) {
        return a.column + a.columns == b.column + b.columns && aligned(a, b);
    });
}
/// Widths that columns need for margins and a frame that says something; a panel of several columns asks all alike.
std::vector<double> column_needs(const std::vector<PanelPlan>& plans, int columns, const Theme& theme) {
    std::vector<double> needs(index(columns), 0.0);
    for (const PanelPlan& plan : plans) {
        const double frame = (plan.panel->canvas ? 8 : 5) * theme.text, count = plan.panel->columns;
        const double all = plan.margins.left + frame + plan.margins.right;
        const double each = (all - (count - 1) * Spacing(theme).column_gap) / count;
        for (int i = 0; i < plan.panel->columns; ++i) {
            double& need = needs[index(plan.panel->column + i)];
            need = std::max(need, each);
        }
    }
    return needs;
}

double sum_with_gaps(const std::vector<double>& lengths, double gap) {
    double sum = gap * static_cast<double>(lengths.size() - 1);
    for (const double length : lengths) sum += length;
    return sum;
}

void set_columns(const Figure& figure, const Box& room, const Spacing& spacing, const std::vector<double>& needs,
                 std::vector<PanelPlan>& plans) {
    const std::vector<double> shares = shares_of(figure.column_shares, columns_of(figure));
    const std::vector<Track> columns =
        tracks(room.low.x, sizes_of(shares, needs, width_of(room), spacing.column_gap), spacing.column_gap);
    for (PanelPlan& plan : plans) {
        plan.cell.low.x = columns[index(plan.panel->column)].low;
        plan.cell.high.x = columns[index(plan.panel->column + plan.panel->columns - 1)].high;
    }
}

std::vector<double> row_needs(const std::vector<PanelPlan>& plans, int rows, const Theme& theme) {
    std::vector<double> needs(index(rows), 8);
    for (const PanelPlan& plan : plans) {
        if (plan.panel->rows > 1) continue;
        double& need = needs[index(plan.panel->row)];
        need = std::max(need, plan.margins.top + plan.margins.bottom + least_frame_height(plan, theme));
    }
    return needs;
}

/// Sets the rows; returns by how much they reach over the room's lower end.
double set_rows(const Figure& figure, const Box& room, const Theme& theme, std::vector<PanelPlan>& plans) {
    const Spacing spacing(theme);
    const std::vector<double> shares = shares_of(figure.row_shares, rows_of(figure));
    const std::vector<double> needs = row_needs(plans, rows_of(figure), theme);
    const double height = std::max(height_of(room), sum_with_gaps(needs, spacing.row_gap));
    const std::vector<Track> rows =
        tracks(room.low.y, sizes_of(shares, needs, height, spacing.row_gap), spacing.row_gap);
    for (PanelPlan& plan : plans) {
        plan.cell.low.y = rows[index(plan.panel->row)].low;
        plan.cell.high.y = rows[index(plan.panel->row + plan.panel->rows - 1)].high;
    }
    return height - height_of(room);
}

bool wider(const Margins& a, const Margins& b) {
    return a.left > b.left + 0.01 || a.right > b.right + 0.01;
}

/// Margins need the ticks, which need the frame, which needs the margins: round until margins are no longer wider than
/// those that the frames were made with. After the first round they only grow, so that this ends.
void settle(std::vector<PanelPlan>& plans, const Theme& theme) {
    std::vector<Margins> made_with(plans.size());
    for (int round = 0; round < 8; ++round) {
        for (PanelPlan& plan : plans) {
            fit_axes(plan);
            plan_labels(plan, theme);
            plan_level_margins(plan, theme);
        }
        share_level(plans);
        bool settled = round > 0;
        for (std::size_t i = 0; i < plans.size(); ++i) {
            settled = settled && !wider(plans[i].margins, made_with[i]);
            if (round > 1) {
                plans[i].margins.left = std::max(plans[i].margins.left, made_with[i].left);
                plans[i].margins.right = std::max(plans[i].margins.right, made_with[i].right);
            }
        }
        if (settled) return;
        for (std::size_t i = 0; i < plans.size(); ++i) {
            set_frame(plans[i]);
            made_with[i] = plans[i].margins;
        }
    }
    for (PanelPlan& plan : plans) fit_axes(plan);
}

/// Claim and subtitle above, source below; what is left for panels.
Box set_texts(const Figure& figure, const Theme& theme, Layout& layout) {
    const Spacing spacing(theme);
    layout.height = figure.height * theme.paper;
    Box room =
        rectangle({spacing.margin, spacing.margin}, {layout.width - spacing.margin, layout.height - spacing.margin});
    const double width = width_of(room);
    layout.claim = heading(figure.claim, theme, theme.claim, width);
    layout.subtitle = quiet(figure.subtitle, theme, width);
    layout.source = small_print(figure.source, theme, width);
    layout.claim_at = {room.low.x, room.low.y - 0.15 * theme.claim};
    layout.subtitle_at = {room.low.x, layout.claim_at.y + layout.claim.height + 0.1 * theme.text};
    const double header = layout.subtitle_at.y + layout.subtitle.height - room.low.y;
    if (layout.claim.lines + layout.subtitle.lines > 0) room.low.y += header + spacing.below_claim;
    layout.source_at = {room.low.x, room.high.y - layout.source.height + 0.3 * theme.text};
    if (layout.source.lines > 0) room.high.y = layout.source_at.y - 0.8 * theme.text;
    return room;
}

}  // namespace

namespace {

/// With columns of at least those widths, on paper wide enough for them.
Layout laid_out(const Figure& figure, const Theme& theme, const std::vector<double>& needs) {
    Layout layout;
    const Spacing spacing(theme);
    layout.width = std::max(figure.width * theme.paper, sum_with_gaps(needs, spacing.column_gap) + 2 * spacing.margin);
    const Box room = set_texts(figure, theme, layout);
    for (const Panel& panel : figure.panels) {
        PanelPlan plan;
        plan.panel = &panel;
        plan.cell = room;
        layout.plans.push_back(std::move(plan));
    }
    set_columns(figure, room, spacing, needs, layout.plans);
    for (PanelPlan& plan : layout.plans) {
        plan.frame = plan.cell;
        fit_axes(plan);
        plan_labels(plan, theme);
        plan_texts(plan, theme);
        plan_upright_margins(plan, theme);
    }
    share_upright(layout.plans);
    const double more = set_rows(figure, room, theme, layout.plans);
    layout.height += more;
    layout.source_at.y += more;
    for (PanelPlan& plan : layout.plans) set_frame(plan);
    settle(layout.plans, theme);
    return layout;
}

}  // namespace

Layout lay_out(const Figure& figure, const Theme& theme) {
    const int columns = columns_of(figure);
    std::vector<double> needs(index(columns), 0.0);
    for (const Panel& panel : figure.panels)
        if (panel.columns == 1) needs[index(panel.column)] = 3 * theme.text;
    Layout layout = laid_out(figure, theme, needs);
    // Margins are known only now: where a column is too narrow for them, once more with wider ones.
    for (int round = 0; round < 4; ++round) {
        bool enough = true;
        for (const PanelPlan& plan : layout.plans) enough = enough && width_of(plan.frame) >= 4 * theme.text;
        if (enough) break;
        const std::vector<double> found = column_needs(layout.plans, columns, theme);
        for (std::size_t i = 0; i < needs.size(); ++i) needs[i] = std::max(needs[i], found[i]);
        layout = laid_out(figure, theme, needs);
    }
    return layout;
}

}  // namespace whorl::plot
