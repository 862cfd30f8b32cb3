#include "viz/plot/extent.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace whorl::plot {

void Range::add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
}

void Extent::add(Point point) {
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) return;
    x.add(point.x);
    y.add(point.y);
}

namespace {

struct Collector {
    Extent& extent;

    void all(const std::vector<Point>& points) const {
        for (const Point& point : points) extent.add(point);
    }
    Range& range(Direction along) const { return along == Direction::x ? extent.x : extent.y; }

    void operator()(const Line& m) const { all(m.points); }
    void operator()(const Points& m) const { all(m.points); }
    void operator()(const Region& m) const { all(m.outline); }
    void operator()(const Arrow& m) const { all({m.from, m.to}); }
    void operator()(const Text& m) const { extent.add(m.at); }
    void operator()(const Handle& m) const { extent.add(m.at); }
    void operator()(const Rule& m) const { range(m.along).add(m.at); }
    void operator()(const Arc& m) const {
        constexpr int kSteps = 32;
        for (int i = 0; i <= kSteps; ++i) {
            const double angle = m.begin + m.turn * i / kSteps;
            extent.add({m.center.x + m.radius * std::cos(angle), m.center.y + m.radius * std::sin(angle)});
        }
    }
    void operator()(const Band& m) const {
        range(m.along).add(m.low);
        range(m.along).add(m.high);
    }
    void operator()(const Stems& m) const {
        all(m.points);
        if (!m.points.empty()) extent.y.add(m.base);
    }
    void operator()(const Bars& m) const {
        Range& values = range(m.along);
        Range& places = range(m.along == Direction::x ? Direction::y : Direction::x);
        for (const Bar& bar : m.bars) {
            values.add(bar.from);
            values.add(bar.to);
            places.add(bar.at - m.thickness / 2);
            places.add(bar.at + m.thickness / 2);
        }
    }
    void operator()(const Grid& m) const {
        for (const double edge : m.x_edges) extent.x.add(edge);
        for (const double edge : m.y_edges) extent.y.add(edge);
    }
};

template <class M>
bool has(const Panel& panel) {
    return std::any_of(panel.marks.begin(), panel.marks.end(),
                       [](const Mark& mark) { return std::holds_alternative<M>(mark); });
}

/// Shares of the marks' length that are added at each end.
struct Room {
    double low = 0, high = 0;
};

double in_scale(Scale scale, double value) {
    return scale == Scale::log ? std::log10(value) : value;
}
double out_of_scale(Scale scale, double value) {
    return scale == Scale::log ? std::pow(10.0, value) : value;
}

/// The same by any measure that an axis could show.
bool same_place(double a, double b) {
    return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

/// An axis that nothing stretches is one unit long about its only value.
Range spread(Range range) {
    if (range.empty()) return {0, 1};
    if (!same_place(range.low, range.high)) return range;
    const double half = range.low == 0 ? 1 : std::abs(range.low) / 2;
    return {range.low - half, range.low + half};
}

Axis fitted(Axis axis, Range range, Room room) {
    const bool fit_low = std::isnan(axis.low), fit_high = std::isnan(axis.high);
    if (!fit_low) range.add(axis.low);
    if (!fit_high) range.add(axis.high);
    if (axis.scale == Scale::log)
        range = range.empty()                        ? Range{1, 10}
                : !same_place(range.low, range.high) ? range
                                                     : Range{range.low / 2, range.low * 2};
    range = spread(range);
    const double low = in_scale(axis.scale, range.low), high = in_scale(axis.scale, range.high);
    if (fit_low) axis.low = out_of_scale(axis.scale, low - room.low * (high - low));
    if (fit_high) axis.high = out_of_scale(axis.scale, high + room.high * (high - low));
    // All marks beyond the end that was given: the other end gives way.
    if (same_place(axis.low, axis.high)) {
        const double end = in_scale(axis.scale, fit_high ? axis.low : axis.high);
        const double length = axis.scale == Scale::log || end == 0 ? 1 : std::abs(end);
        (fit_high ? axis.high : axis.low) = out_of_scale(axis.scale, fit_high ? end + length : end - length);
    }
    return axis;
}

/// Lines end at the frame, with their points.
bool lines_span(const Panel& panel, const Range& x) {
    Extent lines;
    for (const Mark& mark : panel.marks)
        if (const auto* line = std::get_if<Line>(&mark)) Collector{lines}(*line);
    return lines.x.low <= x.low && lines.x.high >= x.high;
}

/// No room below a zero that nothing crosses, nor above one.
Room at_zero(Room room, const Range& range) {
    const double length = range.high - range.low;
    if (range.low >= 0 && range.low <= 0.02 * length) room.low = 0;
    if (range.high <= 0 && range.high >= -0.02 * length) room.high = 0;
    return room;
}

}  // namespace

Extent extent_of(const Panel& panel) {
    Extent extent;
    for (const Mark& mark : panel.marks) std::visit(Collector{extent}, mark);
    if (panel.canvas) extent.add({0, 0});
    return extent;
}

Axis fitted_x(const Panel& panel, const Extent& extent) {
    if (panel.canvas) return fitted(panel.x, extent.x, {0.125, 0.125});
    if (has<Grid>(panel)) return fitted(panel.x, extent.x, {});
    const Room room = lines_span(panel, extent.x) ? Room{} : Room{0.03, 0.03};
    return fitted(panel.x, extent.x, has<Bars>(panel) ? at_zero({0.02, 0.02}, extent.x) : room);
}

Axis fitted_y(const Panel& panel, const Extent& extent) {
    if (panel.canvas) return fitted(panel.y, extent.y, {0.125, 0.125});
    if (has<Grid>(panel)) return fitted(panel.y, extent.y, {});
    return fitted(panel.y, extent.y, panel.y.scale == Scale::log ? Room{0.06, 0.06} : at_zero({0.06, 0.06}, extent.y));
}

double share_on(const Axis& axis, double value) {
    const double low = in_scale(axis.scale, axis.low), high = in_scale(axis.scale, axis.high);
    return (in_scale(axis.scale, value) - low) / (high - low);
}

double value_at(const Axis& axis, double share) {
    const double low = in_scale(axis.scale, axis.low), high = in_scale(axis.scale, axis.high);
    return out_of_scale(axis.scale, low + share * (high - low));
}

namespace {

void widen(Axis& axis, double factor) {
    const double middle = (axis.low + axis.high) / 2, half = (axis.high - axis.low) / 2 * factor;
    axis.low = middle - half;
    axis.high = middle + half;
}

}  // namespace

void make_equal(Axis& x, Axis& y, double width, double height) {
    if (x.scale == Scale::log || y.scale == Scale::log) return;
    const double unit_x = width / std::abs(x.high - x.low), unit_y = height / std::abs(y.high - y.low);
    if (unit_x > unit_y)
        widen(x, unit_x / unit_y);
    else
        widen(y, unit_y / unit_x);
}

}  // namespace whorl::plot
