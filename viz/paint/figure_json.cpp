#include "viz/paint/figure_json.hpp"

#include "core/config/value.hpp"
#include "viz/paint/figure_names.hpp"

namespace whorl::plot {
namespace {

Value json(double number) {
    return {number};
}
Value json(const std::string& text) {
    return {text};
}
Value json(const Point& point) {
    return {Array{{point.x}, {point.y}}};
}
Value json(const Bar& bar) {
    return {Table{{"at", {bar.at}}, {"from", {bar.from}}, {"to", {bar.to}}}};
}
Value json(const Tick& tick) {
    return {Table{{"at", {tick.at}}, {"text", {tick.text}}}};
}
Value json(const Mark& mark);
Value json(const Panel& panel);

template <class T>
Value json(const std::vector<T>& items) {
    Array array;
    array.reserve(items.size());
    for (const T& item : items) array.push_back(json(item));
    return {std::move(array)};
}

Value name(const char* text) {
    return {std::string(text)};
}
Value whole(int number) {
    return {std::int64_t{number}};
}

/// The fields that belong to each kind of mark alone.
Table fields(const Line& m) {
    return {{"points", json(m.points)}};
}
Table fields(const Points& m) {
    return {{"points", json(m.points)}, {"shape", name(name_of(m.shape))}, {"hollow", {m.hollow}},
            {"sizes", json(m.sizes)},   {"names", json(m.names)},          {"opens", json(m.opens)}};
}
Table fields(const Arrow& m) {
    return {{"from", json(m.from)}, {"to", json(m.to)}};
}
Table fields(const Arc& m) {
    return {{"center", json(m.center)},
            {"radius", {m.radius}},
            {"begin", {m.begin}},
            {"turn", {m.turn}},
            {"arrowhead", {m.arrowhead}}};
}
Table fields(const Region& m) {
    return {{"outline", json(m.outline)}};
}
Table fields(const Band& m) {
    return {{"along", name(name_of(m.along))}, {"low", {m.low}}, {"high", {m.high}}};
}
Table fields(const Rule& m) {
    return {{"along", name(name_of(m.along))}, {"at", {m.at}}};
}
Table fields(const Stems& m) {
    return {{"points", json(m.points)}, {"base", {m.base}}, {"hollow", {m.hollow}}};
}
Table fields(const Bars& m) {
    return {{"bars", json(m.bars)}, {"thickness", {m.thickness}}, {"along", name(name_of(m.along))}};
}
Table fields(const Grid& m) {
    return {{"x_edges", json(m.x_edges)}, {"y_edges", json(m.y_edges)},
            {"values", json(m.values)},   {"low", {m.low}},
            {"high", {m.high}},           {"numbers", {m.numbers}},
            {"low_text", {m.low_text}},   {"high_text", {m.high_text}}};
}
Table fields(const Text& m) {
    return {{"at", json(m.at)}, {"anchor", name(name_of(m.anchor))}, {"boxed", {m.boxed}}};
}

Table fields(const Handle& m) {
    return {{"at", json(m.at)}};
}

Value json(const Mark& mark) {
    Table table = {{"kind", name(mark_kind(mark))}, {"id", {id_of(mark)}}};
    table.push_back({std::holds_alternative<Text>(mark) ? "text" : "label", {text_of(mark)}});
    if (const Style* style = style_of(mark)) {
        table.push_back({"role", name(name_of(style->role))});
        table.push_back({"weight", name(name_of(style->weight))});
        table.push_back({"strength", {style->strength}});
        table.push_back({"dash", name(name_of(style->dash))});
    }
    for (Member& member : std::visit([](const auto& m) { return fields(m); }, mark)) table.push_back(std::move(member));
    return {std::move(table)};
}

Value json(const Axis& axis) {
    return {Table{{"label", {axis.label}},
                  {"unit", {axis.unit}},
                  {"low", {axis.low}},
                  {"high", {axis.high}},
                  {"scale", name(name_of(axis.scale))},
                  {"ticks", json(axis.ticks)},
                  {"shown", {axis.shown}}}};
}

Value json(const Panel& panel) {
    return {Table{{"id", {panel.id}},
                  {"title", {panel.title}},
                  {"subtitle", {panel.subtitle}},
                  {"x", json(panel.x)},
                  {"y", json(panel.y)},
                  {"equal", {panel.equal}},
                  {"canvas", {panel.canvas}},
                  {"row", whole(panel.row)},
                  {"column", whole(panel.column)},
                  {"rows", whole(panel.rows)},
                  {"columns", whole(panel.columns)},
                  {"marks", json(panel.marks)}}};
}

}  // namespace

std::string figure_json(const Figure& figure) {
    const Table table = {{"format", name("whorl-figure-1")},
                         {"id", {figure.id}},
                         {"claim", {figure.claim}},
                         {"subtitle", {figure.subtitle}},
                         {"words", json(figure.words)},
                         {"source", {figure.source}},
                         {"width", {figure.width}},
                         {"height", {figure.height}},
                         {"row_shares", json(figure.row_shares)},
                         {"column_shares", json(figure.column_shares)},
                         {"panels", json(figure.panels)}};
    return write_json({table}) + "\n";
}

}  // namespace whorl::plot
