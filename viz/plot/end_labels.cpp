#include "viz/plot/end_labels.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "viz/plot/end_points.hpp"
#include "viz/plot/extent.hpp"

namespace whorl::plot {

namespace {

double leader_width(const Theme& theme) {
    return 1.2 * theme.text;
}

TextStyle label_style(const Theme& theme, const Style& style) {
    const bool bold = style.weight == Weight::chosen || style.weight == Weight::arrow;
    const bool quiet = style.role == Role::secondary || style.role == Role::muted || style.role == Role::accent ||
                       style.role == Role::wrong;
    return {theme.text, bold ? Face::bold : Face::regular, color_of(theme, quiet ? style.role : Role::ink)};
}

struct EndLabel {
    EndPoint end;
    TextBlock block;
    Point from;  // x in data, y on paper
};

std::vector<EndLabel> end_labels(const PanelPlan& plan, const Theme& theme, double frame_top, double frame_height) {
    std::vector<EndLabel> labels;
    for (const EndPoint& end : end_points(plan)) {
        const Point& data = plan.labels_left ? end.ends.first : end.ends.last;
        const double y = frame_top + (1 - share_on(plan.y, data.y)) * frame_height;
        labels.push_back({end,
                          lay_out(end.label, label_style(theme, end.style), 0.36 * width_of(plan.cell),
                                  plan.labels_left ? Anchor::right : Anchor::left),
                          {data.x, y}});
    }
    std::stable_sort(labels.begin(), labels.end(),
                     [](const EndLabel& a, const EndLabel& b) { return a.from.y < b.from.y; });
    return labels;
}

/// Leaves out the lightest labels until the rest fit above each other.
void fit(std::vector<EndLabel>& labels, double room, const PanelPlan& plan, Placed& out) {
    const auto height = [&] {
        double sum = 0;
        for (const EndLabel& label : labels) sum += label.block.height;
        return sum;
    };
    while (!labels.empty() && height() > room) {
        const auto lightest = std::min_element(labels.begin(), labels.end(), [](const EndLabel& a, const EndLabel& b) {
            return a.end.style.weight < b.end.style.weight;
        });
        out.left_out.push_back(plan.panel->id + "." + lightest->end.id + ".label");
        labels.erase(lightest);
    }
}

std::vector<double> middles_of(const std::vector<EndLabel>& labels, double low, double high) {
    std::vector<double> wanted, heights;
    for (const EndLabel& label : labels) {
        wanted.push_back(label.from.y);
        heights.push_back(label.block.height + 0.5);
    }
    return apart_in_column(wanted, heights, low, high);
}

}  // namespace

double end_label_width(const PanelPlan& plan, const Theme& theme) {
    double widest = 0;
    for (const EndLabel& label : end_labels(plan, theme, 0, 1)) widest = std::max(widest, label.block.width);
    return widest > 0 ? widest + leader_width(theme) + 4 : 0;
}

double end_label_height(const PanelPlan& plan, const Theme& theme) {
    double sum = 0;
    for (const EndLabel& label : end_labels(plan, theme, 0, 1)) sum += label.block.height + 0.5;
    return sum;
}

void draw_end_labels(const PanelPlan& plan, Stage& stage) {
    const Theme& theme = stage.theme;
    const Box& frame = stage.frame();
    const double half = line_height(theme.text) / 2;
    const double low = std::max(stage.room.low.y, frame.low.y - half);
    const double high = std::min(stage.room.high.y, frame.high.y + half);
    std::vector<EndLabel> labels = end_labels(plan, theme, frame.low.y, height_of(frame));
    fit(labels, high - low, plan, stage.out);
    const std::vector<double> middles = middles_of(labels, low, high);
    const double side = plan.labels_left ? -1 : 1, edge = plan.labels_left ? frame.low.x : frame.high.x;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const EndLabel& label = labels[i];
        const Point end{stage.paper({label.from.x, label.end.ends.last.y}).x +
                            side * (2 + width_of(theme, label.end.style.weight) / 2),
                        label.from.y};
        const double beside = edge + side * (leader_width(theme) + 2);
        Item item;
        item.id = stage.id(label.end.id) + ".label";
        item.shapes.emplace_back(
            Path{{end, {beside - side * 4, middles[i]}}, {theme.axis, width_of(theme, Weight::hair)}});
        const double left = plan.labels_left ? beside - label.block.width : beside;
        const Point corner{left, middles[i] - label.block.height / 2};
        put(label.block, corner, item.shapes);
        stage.out.labels.push_back(
            {item.id, rectangle(corner, {left + label.block.width, corner.y + label.block.height})});
        stage.out.drawing.items.push_back(std::move(item));
    }
}

}  // namespace whorl::plot
