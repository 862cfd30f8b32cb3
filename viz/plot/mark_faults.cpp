#include "viz/plot/mark_faults.hpp"

#include <cmath>
#include <cstddef>

#include "viz/plot/geometry.hpp"

namespace whorl::plot {

namespace {

using plot::finite;  // of points
bool finite(double x) {
    return std::isfinite(x);
}

template <class Values>
bool all_finite(const Values& values) {
    for (const auto& value : values)
        if (!finite(value)) return false;
    return true;
}

std::string fault(const Line&) {
    return {};
}  // points that are not finite break it
std::string fault(const Points& m) {
    if (!m.sizes.empty() && m.sizes.size() != m.points.size()) return "it needs one size a point";
    for (const auto* texts : {&m.names, &m.opens})
        if (!texts->empty() && texts->size() != m.points.size()) return "it needs one name and one address a point";
    for (const double size : m.sizes)
        if (!finite(size) || size < 0) return "a size is not a finite number ≥ 0";
    return {};
}
std::string fault(const Arrow& m) {
    return finite(m.from) && finite(m.to) ? "" : "an end is not finite";
}
std::string fault(const Arc& m) {
    const bool good = finite(m.center) && finite(m.radius) && finite(m.begin) && finite(m.turn);
    return good && m.radius >= 0 ? "" : "centre, radius and angles must be finite, the radius ≥ 0";
}
std::string fault(const Region& m) {
    if (m.outline.size() < 3) return "an outline needs three corners";
    return all_finite(m.outline) ? "" : "a corner is not finite";
}
std::string fault(const Band& m) {
    return m.low <= m.high ? "" : "its low end lies above its high one";
}
std::string fault(const Rule& m) {
    return finite(m.at) ? "" : "its place is not finite";
}
std::string fault(const Stems& m) {
    return finite(m.base) ? "" : "its base is not finite";
}
std::string fault(const Bars& m) {
    if (!finite(m.thickness) || m.thickness <= 0) return "the thickness of bars must be a finite number > 0";
    for (const Bar& bar : m.bars)
        if (!finite(bar.at) || !finite(bar.from) || !finite(bar.to)) return "a bar is not finite";
    return {};
}

bool one_way(const std::vector<double>& edges) {
    for (std::size_t i = 1; i < edges.size(); ++i)
        if ((edges[i] > edges[i - 1]) != (edges[1] > edges[0]) || edges[i] == edges[i - 1]) return false;
    return all_finite(edges);
}

std::string fault(const Grid& m) {
    if (m.x_edges.size() < 2 || m.y_edges.size() < 2) return "a grid needs two edges each way";
    if (m.values.size() != (m.x_edges.size() - 1) * (m.y_edges.size() - 1)) return "a grid needs one value a cell";
    if (!one_way(m.x_edges) || !one_way(m.y_edges)) return "edges must grow, or shrink, all the way";
    return finite(m.low) && finite(m.high) && m.low < m.high ? "" : "the colour scale is empty";
}
std::string fault(const Text& m) {
    return finite(m.at) ? "" : "its place is not finite";
}
std::string fault(const Handle& m) {
    return finite(m.at) ? "" : "its place is not finite";
}

std::string style_fault(const Style& style) {
    return style.strength >= 0 && style.strength <= 1 ? "" : "a strength lies between 0 and 1";
}
template <class M>
std::string any_fault(const M& mark) {
    const std::string found = style_fault(mark.style);
    return found.empty() ? fault(mark) : found;
}
std::string any_fault(const Grid& mark) {
    return fault(mark);
}

void add(const Point& p, MarkValues& to) {
    to.x.push_back(p.x);
    to.y.push_back(p.y);
}

void add(const std::vector<Point>& points, MarkValues& to) {
    for (const Point& p : points) add(p, to);
}

void collect(const Line& m, MarkValues& to) {
    add(m.points, to);
}
void collect(const Points& m, MarkValues& to) {
    add(m.points, to);
}
void collect(const Arrow& m, MarkValues& to) {
    add(m.from, to), add(m.to, to);
}
void collect(const Arc& m, MarkValues& to) {
    add(Point{m.center.x - m.radius, m.center.y - m.radius}, to);
}
void collect(const Region& m, MarkValues& to) {
    add(m.outline, to);
}
void collect(const Band&, MarkValues&) {}
void collect(const Rule& m, MarkValues& to) {
    (m.along == Direction::x ? to.x : to.y).push_back(m.at);
}
void collect(const Stems& m, MarkValues& to) {
    add(m.points, to);
    to.y.push_back(m.base);
}
void collect(const Bars& m, MarkValues& to) {
    std::vector<double>& values = m.along == Direction::x ? to.x : to.y;
    std::vector<double>& places = m.along == Direction::x ? to.y : to.x;
    for (const Bar& bar : m.bars) {
        values.push_back(bar.from);
        values.push_back(bar.to);
        places.push_back(bar.at - m.thickness / 2);
    }
}
void collect(const Grid& m, MarkValues& to) {
    to.x.insert(to.x.end(), m.x_edges.begin(), m.x_edges.end());
    to.y.insert(to.y.end(), m.y_edges.begin(), m.y_edges.end());
}
void collect(const Text& m, MarkValues& to) {
    add(m.at, to);
}
void collect(const Handle& m, MarkValues& to) {
    add(m.at, to);
}

}  // namespace

std::string fault_of(const Mark& mark) {
    return std::visit([](const auto& m) { return any_fault(m); }, mark);
}

MarkValues values_of(const Mark& mark) {
    MarkValues values;
    std::visit([&](const auto& m) { collect(m, values); }, mark);
    return values;
}

}  // namespace whorl::plot
