#include "viz/plot/key.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace whorl::plot {

namespace {

double sample_width(const Theme& theme) {
    return 1.4 * theme.text;
}

struct Named {
    const std::string& label;
    const Style& style;
};

/// Only marks that can be in a key are asked for.
Named named(const Mark& mark) {
    if (const auto* points = std::get_if<Points>(&mark)) return {points->label, points->style};
    if (const auto* stems = std::get_if<Stems>(&mark)) return {stems->label, stems->style};
    const auto& bars = std::get<Bars>(mark);
    return {bars.label, bars.style};
}

void add_sample(const Mark& mark, Point middle, const Stage& stage, std::vector<Shape2d>& to) {
    const Style& style = named(mark).style;
    const double radius = std::max(point_radius(stage.theme, style.weight), 0.25 * stage.theme.text);
    if (std::holds_alternative<Bars>(mark)) {
        const double half = 0.38 * stage.theme.text;
        Box box = rectangle({middle.x - half, middle.y - half}, {middle.x + half, middle.y + half});
        box.fill = stage.color(style);
        to.emplace_back(box);
        return;
    }
    const auto* points = std::get_if<Points>(&mark);
    const bool hollow = points ? points->hollow : std::get<Stems>(mark).hollow;
    const Shape shape = points && points->shape != Shape::by_role ? points->shape : shape_of(style.role);
    add_point(middle, radius, shape, stage.color(style), hollow, stage.ground, width_of(stage.theme, Weight::data), to);
}

}  // namespace

Key key_of(const std::vector<const Mark*>& marks, const Theme& theme, double width) {
    Key key;
    double x = 0;
    for (const Mark* mark : marks) {
        KeyEntry entry;
        entry.mark = mark;
        entry.name = lay_out(named(*mark).label, {theme.text, Face::regular, color_of(theme, Role::ink)},
                             width - sample_width(theme));
        const double needed = sample_width(theme) + entry.name.width;
        if (x > 0 && x + needed > width) x = 0;
        if (x == 0) key.height += line_height(theme.text) * std::max(1, entry.name.lines);
        entry.at = {x, key.height - line_height(theme.text) * std::max(1, entry.name.lines)};
        key.width = std::max(key.width, x + needed);
        x += needed + 1.5 * theme.text;
        key.entries.push_back(std::move(entry));
    }
    return key;
}

void draw_key(const Key& key, Point at, Stage& stage) {
    for (const KeyEntry& entry : key.entries) {
        Item item;
        item.id = stage.id(id_of(*entry.mark)) + ".key";
        const Point corner{at.x + entry.at.x, at.y + entry.at.y};
        const double middle = corner.y + line_height(stage.theme.text) / 2;
        add_sample(*entry.mark, {corner.x + 0.45 * stage.theme.text, middle}, stage, item.shapes);
        const Point name{corner.x + sample_width(stage.theme), corner.y};
        put(entry.name, name, item.shapes);
        stage.out.labels.push_back(
            {item.id, rectangle(corner, {name.x + entry.name.width, name.y + entry.name.height})});
        stage.out.drawing.items.push_back(std::move(item));
    }
}

}  // namespace whorl::plot
