// The scale beside a grid: viridis from low to high, what the ends mean, and what is measured.
#include <algorithm>
#include <utility>

#include "viz/plot/end_labels.hpp"
#include "viz/plot/ticks.hpp"

namespace whorl::plot {

namespace {

const Grid* scaled_grid(const Panel& panel) {
    for (const Mark& mark : panel.marks)
        if (const auto* grid = std::get_if<Grid>(&mark)) return grid;
    return nullptr;
}

struct ScaleTexts {
    TextBlock high, middle, low;
    double width() const { return std::max({high.width, middle.width, low.width}); }
};

ScaleTexts texts_of(const Grid& grid, const Theme& theme) {
    const TextStyle style{theme.text, Face::regular, color_of(theme, Role::secondary)};
    const double widest = 7.5 * theme.text;
    return {lay_out(grid.high_text.empty() ? number_text(grid.high, 3) : grid.high_text, style, widest),
            lay_out(grid.label, style, widest),
            lay_out(grid.low_text.empty() ? number_text(grid.low, 3) : grid.low_text, style, widest)};
}

double bar_width(const Theme& theme) {
    return 0.9 * theme.text;
}
double gap_before(const Theme& theme) {
    return 1.2 * theme.text;
}

void add_text(const TextBlock& block, Point at, const std::string& id, Item& item, Placed& out) {
    if (block.lines == 0) return;
    put(block, at, item.shapes);
    out.labels.push_back({id, rectangle(at, {at.x + block.width, at.y + block.height})});
}

}  // namespace

double color_scale_width(const PanelPlan& plan, const Theme& theme) {
    const Grid* grid = scaled_grid(*plan.panel);
    return grid ? gap_before(theme) + bar_width(theme) + 0.5 * theme.text + texts_of(*grid, theme).width() : 0;
}

void draw_color_scale(const PanelPlan& plan, Stage& stage) {
    const Grid* grid = scaled_grid(*plan.panel);
    if (!grid) return;
    const Theme& theme = stage.theme;
    const Box& frame = stage.frame();
    Cells bar;
    bar.low = {frame.high.x + gap_before(theme), frame.low.y};
    bar.high = {bar.low.x + bar_width(theme), frame.high.y};
    constexpr int kSteps = 64;
    bar.rows = kSteps;
    bar.columns = 1;
    for (int i = 0; i < kSteps; ++i) bar.colors.push_back(viridis(1 - (i + 0.5) / kSteps));
    Item item;
    item.id = stage.id(grid->id) + ".scale";
    const ScaleTexts texts = texts_of(*grid, theme);
    const double x = bar.high.x + 0.5 * theme.text, middle = (frame.low.y + frame.high.y) / 2;
    item.shapes.emplace_back(std::move(bar));
    add_text(texts.high, {x, frame.low.y - 0.2 * theme.text}, item.id + ".high", item, stage.out);
    add_text(texts.low, {x, frame.high.y + 0.2 * theme.text - texts.low.height}, item.id + ".low", item, stage.out);
    const double needed = texts.high.height + texts.middle.height + texts.low.height;
    if (height_of(frame) >= needed)
        add_text(texts.middle, {x, middle - texts.middle.height / 2}, item.id + ".label", item, stage.out);
    stage.out.drawing.items.push_back(std::move(item));
}

}  // namespace whorl::plot
