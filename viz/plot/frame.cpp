#include "viz/plot/frame.hpp"

#include <algorithm>
#include <utility>

#include "viz/plot/extent.hpp"
#include "viz/plot/headings.hpp"

namespace whorl::plot {

namespace {

template <class M>
bool holds_any(const Panel& panel) {
    return std::any_of(panel.marks.begin(), panel.marks.end(),
                       [](const Mark& mark) { return std::holds_alternative<M>(mark); });
}

/// Texts in rows: their names at the ticks are all the frame they need.
bool is_tape(const Panel& panel) {
    const bool measures = holds_any<Line>(panel) || holds_any<Stems>(panel) || holds_any<Bars>(panel);
    return holds_any<Text>(panel) && !panel.x.shown && !measures;  // points are swatches
}

bool has_level_bars(const Panel& panel) {
    return std::any_of(panel.marks.begin(), panel.marks.end(), [](const Mark& mark) {
        const auto* bars = std::get_if<Bars>(&mark);
        return bars && bars->along == Direction::x;
    });
}

bool well_inside(const Axis& axis, double value) {
    const double share = share_on(axis, value);
    return share > 0.001 && share < 0.999;
}

bool crosses_zero(const Axis& axis) {
    return axis.scale == Scale::linear && well_inside(axis, 0);
}

struct FramePen {
    Stage& stage;
    Item& item;

    Stroke stroke(const Color& color) const { return {color, width_of(stage.theme, Weight::hair)}; }
    void upright(double x, const Color& color) const {
        line({x, stage.frame().low.y}, {x, stage.frame().high.y}, color);
    }
    void level(double y, const Color& color) const { line({stage.frame().low.x, y}, {stage.frame().high.x, y}, color); }
    void line(Point a, Point b, const Color& color) const { item.shapes.emplace_back(Path{{a, b}, stroke(color)}); }
};

/// A tinted ground with two thin lines through the origin.
void draw_canvas(Stage& stage, Item& item) {
    Box ground = stage.frame();
    ground.fill = stage.theme.canvas;
    ground.corner = 4;
    item.shapes.emplace_back(ground);
    const FramePen pen{stage, item};
    const Point origin = stage.paper({0, 0});
    Color thin = stage.theme.axis;
    thin.opacity = 0.45;
    if (well_inside(stage.placed.x, 0)) pen.upright(origin.x, thin);
    if (well_inside(stage.placed.y, 0)) pen.level(origin.y, thin);
}

/// Lines at the ticks of the axis that values are read off; of both on log paper and where no axis line is below.
void draw_grid(const PanelPlan& plan, Stage& stage, Item& item) {
    const FramePen pen{stage, item};
    const bool level_bars = has_level_bars(*plan.panel);
    const bool upright =
        level_bars || plan.x.scale == Scale::log || (crosses_zero(plan.y) && !holds_any<Bars>(*plan.panel));
    if (upright)
        for (const Tick& tick : x_ticks(plan, stage.theme)) pen.upright(stage.paper({tick.at, 1}).x, stage.theme.grid);
    if (!level_bars)
        for (const Tick& tick : y_ticks(plan, stage.theme)) pen.level(stage.paper({1, tick.at}).y, stage.theme.grid);
}

/// The zero line where there is one in the frame, else the lower edge with small strokes at the ticks.
void draw_axis_lines(const PanelPlan& plan, Stage& stage, Item& item) {
    const FramePen pen{stage, item};
    const Color& color = stage.theme.axis;
    if (has_level_bars(*plan.panel))
        return pen.upright(crosses_zero(plan.x) ? stage.paper({0, 0}).x : stage.frame().low.x, color);
    if (!plan.panel->x.shown && !plan.panel->y.shown) return;
    if (crosses_zero(plan.y)) return pen.level(stage.paper({0, 0}).y, color);
    const double y = stage.frame().high.y;
    pen.level(y, color);
    const double length = 0.3 * stage.theme.text;
    for (const Tick& tick : x_ticks(plan, stage.theme)) {
        const double x = stage.paper({tick.at, 1}).x;
        pen.line({x, y}, {x, y + length}, color);
    }
}

struct Words {
    Stage& stage;
    void write(const TextBlock& block, Point at, const std::string& id) const {
        if (block.lines == 0) return;
        Item item;
        item.id = stage.id(id);
        put(block, at, item.shapes);
        stage.out.drawing.items.push_back(std::move(item));
        stage.out.labels.push_back({stage.id(id), rectangle(at, {at.x + block.width, at.y + block.height})});
    }
};

void write_x_ticks(const PanelPlan& plan, Stage& stage) {
    int number = 0;
    for (const Tick& tick : x_ticks(plan, stage.theme)) {
        const TextBlock block = tick_block(tick, stage.theme);
        const double x = stage.paper({tick.at, 1}).x - block.width / 2;
        Words{stage}.write(block, {x, stage.frame().high.y + Spacing(stage.theme).tick_gap},
                           "x.tick." + std::to_string(number++));
    }
}

void write_y_ticks(const PanelPlan& plan, Stage& stage) {
    int number = 0;
    for (const Tick& tick : y_ticks(plan, stage.theme)) {
        const TextBlock block = tick_block(tick, stage.theme);
        const double left = plan.labels_left ? stage.frame().high.x + Spacing(stage.theme).tick_gap
                                             : stage.frame().low.x - Spacing(stage.theme).tick_gap - block.width;
        Words{stage}.write(block, {left, stage.paper({1, tick.at}).y - block.height / 2},
                           "y.tick." + std::to_string(number++));
    }
}

/// In the corners of the canvas: x at the lower right, y beside the upper end of its line.
void write_canvas_labels(const PanelPlan& plan, Stage& stage) {
    const Box& frame = stage.frame();
    const double pad = 0.5 * stage.theme.text, width = std::max(width_of(frame) - 2 * pad, pad);
    const TextBlock x = quiet(axis_title(plan.panel->x), stage.theme, width);
    const TextBlock y = quiet(axis_title(plan.panel->y), stage.theme, width);
    Words{stage}.write(x, {frame.high.x - pad - x.width, frame.high.y - 0.3 * pad - x.height}, "x.label");
    const double origin = std::clamp(stage.paper({0, 0}).x, frame.low.x, frame.high.x);
    const double left = origin - pad - y.width, right = std::min(origin + pad, frame.high.x - pad - y.width);
    if (x.height + y.height < height_of(frame))
        Words{stage}.write(y, {left >= frame.low.x + pad ? left : right, frame.low.y + 0.3 * pad}, "y.label");
}

}  // namespace

void draw_ground(const PanelPlan& plan, Stage& stage) {
    Item item;
    item.id = stage.id("frame");
    if (plan.panel->canvas)
        draw_canvas(stage, item);
    else if (!holds_any<Grid>(*plan.panel) && !is_tape(*plan.panel)) {
        draw_grid(plan, stage, item);
        draw_axis_lines(plan, stage, item);
    }
    stage.out.drawing.items.push_back(std::move(item));
}

void draw_axes(const PanelPlan& plan, Stage& stage) {
    if (plan.panel->canvas) return write_canvas_labels(plan, stage);
    write_x_ticks(plan, stage);
    write_y_ticks(plan, stage);
    const Box& frame = stage.frame();
    const double below = frame.high.y + Spacing(stage.theme).tick_gap + x_tick_height(plan, stage.theme);
    const double left = std::max(plan.cell.low.x, frame.high.x - plan.x_label.width);
    Words{stage}.write(plan.x_label, {left, below}, "x.label");
}

void draw_titles(const PanelPlan& plan, Stage& stage) {
    const Words words{stage};
    const Box& cell = plan.cell;
    words.write(plan.title, cell.low, "title");
    words.write(plan.subtitle, {cell.low.x, cell.low.y + plan.title.height}, "subtitle");
    const double gap = 0.7 * stage.theme.text, bottom = stage.frame().low.y - gap;
    double key_left = std::max(cell.low.x, std::min(stage.frame().low.x, cell.high.x - plan.key.width));
    double label_bottom = bottom;
    const bool beside = key_beside_label(plan, stage.theme);
    if (plan.key.height > 0 && !beside) label_bottom -= plan.key.height;
    if (beside)
        key_left = std::max(key_left, plan.panel->canvas ? 0 : cell.low.x + plan.y_label.width + 2 * stage.theme.text);
    if (!plan.panel->canvas) {
        const double x = plan.labels_left ? cell.high.x - plan.y_label.width : cell.low.x;
        words.write(plan.y_label, {x, label_bottom - plan.y_label.height}, "y.label");
    }
    draw_key(plan.key, {std::min(key_left, cell.high.x - plan.key.width), bottom - plan.key.height}, stage);
}

}  // namespace whorl::plot
