#include "viz/plot/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

namespace whorl::plot {

Box rectangle(Point low, Point high) {
    Box box;
    box.low = low;
    box.high = high;
    return box;
}

Box grown(const Box& box, double by) {
    return rectangle({box.low.x - by, box.low.y - by}, {box.high.x + by, box.high.y + by});
}

Box moved(const Box& box, Point by) {
    return rectangle({box.low.x + by.x, box.low.y + by.y}, {box.high.x + by.x, box.high.y + by.y});
}

double width_of(const Box& box) {
    return box.high.x - box.low.x;
}
double height_of(const Box& box) {
    return box.high.y - box.low.y;
}
Point middle_of(const Box& box) {
    return {(box.low.x + box.high.x) / 2, (box.low.y + box.high.y) / 2};
}

bool holds(const Box& box, Point point) {
    return point.x >= box.low.x && point.x <= box.high.x && point.y >= box.low.y && point.y <= box.high.y;
}

bool holds(const Box& outer, const Box& inner) {
    return holds(outer, inner.low) && holds(outer, inner.high);
}

bool overlap(const Box& a, const Box& b) {
    return a.low.x < b.high.x && b.low.x < a.high.x && a.low.y < b.high.y && b.low.y < a.high.y;
}

bool finite(Point point) {
    return std::isfinite(point.x) && std::isfinite(point.y);
}

namespace {

struct Segment {
    Point from, to;
};

Point part_way(Point a, Point b, double share) {
    return {a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)};
}

/// Narrows [enter, leave] to where the segment is on the inner side: `step` grows outwards, `room` is what is left.
bool narrow(double step, double room, double& enter, double& leave) {
    if (step == 0) return room >= 0;
    (step < 0 ? enter : leave) = step < 0 ? std::max(enter, room / step) : std::min(leave, room / step);
    return enter <= leave;
}

std::optional<Segment> clipped(Point a, Point b, const Box& box) {
    double enter = 0, leave = 1;
    const double dx = b.x - a.x, dy = b.y - a.y;
    if (!narrow(-dx, a.x - box.low.x, enter, leave) || !narrow(dx, box.high.x - a.x, enter, leave) ||
        !narrow(-dy, a.y - box.low.y, enter, leave) || !narrow(dy, box.high.y - a.y, enter, leave))
        return std::nullopt;
    return Segment{enter == 0 ? a : part_way(a, b, enter), leave == 1 ? b : part_way(a, b, leave)};
}

bool same(Point a, Point b) {
    return a.x == b.x && a.y == b.y;
}

/// Keeps the half plane where `room` is ≥ 0.
template <class Room>
std::vector<Point> half(const std::vector<Point>& points, Room room) {
    std::vector<Point> kept;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const Point a = points[i], b = points[(i + 1) % points.size()];
        const double at_a = room(a), at_b = room(b);
        if (at_a >= 0) kept.push_back(a);
        if ((at_a < 0) != (at_b < 0)) kept.push_back(part_way(a, b, at_a / (at_a - at_b)));
    }
    return kept;
}

}  // namespace

std::vector<std::vector<Point>> clipped_line(const std::vector<Point>& points, const Box& box) {
    std::vector<std::vector<Point>> pieces;
    for (std::size_t i = 1; i < points.size(); ++i) {
        if (!finite(points[i - 1]) || !finite(points[i])) continue;
        const std::optional<Segment> segment = clipped(points[i - 1], points[i], box);
        if (!segment) continue;
        if (pieces.empty() || !same(pieces.back().back(), segment->from)) pieces.push_back({segment->from});
        pieces.back().push_back(segment->to);
    }
    return pieces;
}

std::vector<Point> clipped_polygon(std::vector<Point> points, const Box& box) {
    points = half(points, [&](Point p) { return p.x - box.low.x; });
    points = half(points, [&](Point p) { return box.high.x - p.x; });
    points = half(points, [&](Point p) { return p.y - box.low.y; });
    points = half(points, [&](Point p) { return box.high.y - p.y; });
    return points;
}

}  // namespace whorl::plot
