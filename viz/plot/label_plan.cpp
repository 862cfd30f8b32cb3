#include <algorithm>
#include <cmath>
#include <cstddef>

#include "viz/plot/end_labels.hpp"
#include "viz/plot/end_points.hpp"
#include "viz/plot/extent.hpp"

namespace whorl::plot {

namespace {

bool inside(const Axis& axis, double value) {
    const double share = share_on(axis, value);
    return share >= -1e-9 && share <= 1 + 1e-9;
}

bool inside(const PanelPlan& plan, const Point& p) {
    return finite(p) && inside(plan.x, p.x) && inside(plan.y, p.y);
}

/// A line's first and last point in the frame, if it reaches the frame's sides.
std::optional<Ends> ends_of_line(const PanelPlan& plan, const Line& line) {
    const auto shown = [&](const Point& p) { return inside(plan, p); };
    const auto first = std::find_if(line.points.begin(), line.points.end(), shown);
    const auto last = std::find_if(line.points.rbegin(), line.points.rend(), shown);
    if (first == line.points.end() || line.points.size() < 2) return std::nullopt;
    Ends ends{*first, *last};
    if (share_on(plan.x, ends.first.x) > share_on(plan.x, ends.last.x)) std::swap(ends.first, ends.last);
    return ends;
}

bool reaches_right(const PanelPlan& plan, const Ends& ends) {
    return share_on(plan.x, ends.last.x) >= 0.9;
}
bool reaches_left(const PanelPlan& plan, const Ends& ends) {
    return share_on(plan.x, ends.first.x) <= 0.1;
}

struct Places {
    const PanelPlan& plan;
    bool ends_allowed;

    LabelPlace operator()(const Line& m) const {
        if (m.label.empty()) return LabelPlace::none;
        const std::optional<Ends> ends = ends_allowed ? ends_of_line(plan, m) : std::nullopt;
        return ends && reaches_right(plan, *ends) ? LabelPlace::end : LabelPlace::near;
    }
    LabelPlace operator()(const Points& m) const { return several(m.label, m.points.size()); }
    LabelPlace operator()(const Stems& m) const { return several(m.label, m.points.size()); }
    LabelPlace operator()(const Bars& m) const { return several(m.label, m.bars.size()); }
    LabelPlace operator()(const Text&) const { return LabelPlace::own; }
    LabelPlace operator()(const Grid&) const { return LabelPlace::own; }
    LabelPlace operator()(const Rule& m) const {
        if (m.label.empty()) return LabelPlace::none;
        const bool level = m.along == Direction::y && inside(plan.y, m.at);
        return ends_allowed && level ? LabelPlace::end : LabelPlace::near;
    }
    template <class M>
    LabelPlace operator()(const M& m) const {
        return m.label.empty() ? LabelPlace::none : LabelPlace::near;
    }

    static LabelPlace several(const std::string& label, std::size_t count) {
        if (label.empty()) return LabelPlace::none;
        return count == 1 ? LabelPlace::near : LabelPlace::key;
    }
};

bool has_grid(const Panel& panel) {
    return std::any_of(panel.marks.begin(), panel.marks.end(),
                       [](const Mark& mark) { return std::holds_alternative<Grid>(mark); });
}

/// How far labels of that side have to move in all.
double moved_in_all(const PanelPlan& plan, const Theme& theme, bool left) {
    std::vector<double> wanted;
    for (const EndPoint& end : end_points(plan))
        wanted.push_back((1 - share_on(plan.y, (left ? end.ends.first : end.ends.last).y)) * height_of(plan.frame));
    std::sort(wanted.begin(), wanted.end());
    const std::vector<double> heights(wanted.size(), line_height(theme.text));
    const std::vector<double> middles = apart_in_column(wanted, heights, 0, height_of(plan.frame));
    double sum = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) sum += std::abs(middles[i] - wanted[i]);
    return sum;
}

bool all_reach_left(const PanelPlan& plan) {
    for (const EndPoint& end : end_points(plan))
        if (!reaches_left(plan, end.ends)) return false;
    return true;
}

}  // namespace

std::vector<EndPoint> end_points(const PanelPlan& plan) {
    std::vector<EndPoint> found;
    for (std::size_t i = 0; i < plan.panel->marks.size(); ++i) {
        if (plan.label_places[i] != LabelPlace::end) continue;
        const Mark& mark = plan.panel->marks[i];
        if (const auto* line = std::get_if<Line>(&mark)) {
            if (const auto ends = ends_of_line(plan, *line))
                found.push_back({line->id, line->label, line->style, *ends});
        } else if (const auto* rule = std::get_if<Rule>(&mark)) {
            found.push_back({rule->id, rule->label, rule->style, {{plan.x.low, rule->at}, {plan.x.high, rule->at}}});
        }
    }
    return found;
}

void plan_labels(PanelPlan& plan, const Theme& theme) {
    const Panel& panel = *plan.panel;
    const Places places{plan, !panel.canvas && !panel.equal && !has_grid(panel)};
    plan.label_places.clear();
    for (const Mark& mark : panel.marks) plan.label_places.push_back(std::visit(places, mark));
    plan.labels_left = false;
    if (!all_reach_left(plan)) return;
    // Names are looked for on the right: only labels that would have to move far go to the other side.
    const double worth = 0.8 * theme.text * static_cast<double>(end_points(plan).size());
    plan.labels_left = moved_in_all(plan, theme, true) + worth < moved_in_all(plan, theme, false);
}

}  // namespace whorl::plot
