#include "viz/plot/place.hpp"

#include <algorithm>
#include <utility>

#include "viz/plot/end_labels.hpp"
#include "viz/plot/extent.hpp"
#include "viz/plot/frame.hpp"
#include "viz/plot/layout.hpp"

namespace whorl::plot {

Point PlacedPanel::to_paper(Point data) const {
    return {frame.low.x + share_on(x, data.x) * width_of(frame), frame.high.y - share_on(y, data.y) * height_of(frame)};
}

Point PlacedPanel::to_data(Point paper) const {
    return {value_at(x, (paper.x - frame.low.x) / width_of(frame)),
            value_at(y, (frame.high.y - paper.y) / height_of(frame))};
}

namespace {

void write(const TextBlock& block, Point at, const std::string& id, Placed& out) {
    if (block.lines == 0) return;
    Item item;
    item.id = id;
    put(block, at, item.shapes);
    out.drawing.items.push_back(std::move(item));
    out.labels.push_back({id, rectangle(at, {at.x + block.width, at.y + block.height})});
}

Placed blank(const Figure& figure, const Theme& theme) {
    Placed out;
    out.drawing.ground = theme.card;
    out.drawing.title = plain_text(figure.claim);
    for (const std::string& sentence : figure.words)
        out.drawing.description += (out.drawing.description.empty() ? "" : " ") + plain_text(sentence);
    return out;
}

bool has_map(const Panel& panel) {
    return std::any_of(panel.marks.begin(), panel.marks.end(),
                       [](const Mark& mark) { return std::holds_alternative<Grid>(mark); });
}

void place_panel(const PanelPlan& plan, const Theme& theme, Ink& ink, Placed& out) {
    std::vector<LabelWish> wishes;
    Stage stage{*plan.panel,
                theme,
                {plan.panel->id, rectangle(plan.frame.low, plan.frame.high), plan.x, plan.y},
                plan.panel->canvas ? plan.frame : plan.cell,
                plan.panel->canvas ? theme.canvas : theme.card,
                has_map(*plan.panel),
                ink,
                wishes,
                out};
    draw_ground(plan, stage);
    draw_axes(plan, stage);
    draw_titles(plan, stage);
    for (std::size_t i = 0; i < plan.panel->marks.size(); ++i) {
        const bool near = plan.label_places[i] == LabelPlace::near;
        std::visit([&](const auto& mark) { draw(stage, mark, near); }, plan.panel->marks[i]);
    }
    draw_color_scale(plan, stage);
    draw_end_labels(plan, stage);
    place_wishes(std::move(wishes), ink, out);
    out.panels.push_back(stage.placed);
}

}  // namespace

Placed place(const Figure& figure, const Theme& theme) {
    check(figure);
    Placed out = blank(figure, theme);
    const Layout layout = lay_out(figure, theme);
    out.drawing.width = layout.width;
    out.drawing.height = layout.height;
    write(layout.claim, layout.claim_at, "claim", out);
    write(layout.subtitle, layout.subtitle_at, "subtitle", out);
    Ink ink(out.drawing.width, out.drawing.height);
    for (const PanelPlan& plan : layout.plans) place_panel(plan, theme, ink, out);
    write(layout.source, layout.source_at, "source", out);
    return out;
}

}  // namespace whorl::plot
