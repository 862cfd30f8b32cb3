#include "viz/paint/stroke.hpp"

#include <algorithm>
#include <cmath>

namespace whorl::plot {
namespace {

/// Nearer points than this are one: their direction says nothing.
constexpr double kApart = 1e-4;
/// Sharper turns than this, in radians, go back.
constexpr double kTip = 3.1415;

Contour without_repeats(const Contour& points, bool closed) {
    const auto near = [](Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y) < kApart; };
    Contour result;
    for (const Point& point : points)
        if (result.empty() || !near(result.back(), point)) result.push_back(point);
    while (closed && result.size() > 1 && near(result.back(), result.front())) result.pop_back();
    return result;
}

/// One side of a line: walks along it, half a width to its left.
class Side {
public:
    /// One of the two sides rounds the points where a line turns back on itself.
    Side(Contour& outline, double half, bool rounds_tips) : outline_(outline), half_(half), rounds_tips_(rounds_tips) {}

    void open(const Contour& points) {
        const std::size_t last = points.size() - 1;
        put(points[0], normal(points[0], points[1]));
        for (std::size_t i = 1; i < last; ++i) join(points[i - 1], points[i], points[i + 1]);
        put(points[last], normal(points[last - 1], points[last]));
    }
    void closed(const Contour& points) {
        const std::size_t n = points.size();
        for (std::size_t i = 0; i < n; ++i) join(points[(i + n - 1) % n], points[i], points[(i + 1) % n]);
    }

private:
    Point normal(Point from, Point to) const {
        const double scale = half_ / std::hypot(to.x - from.x, to.y - from.y);
        return {(from.y - to.y) * scale, (to.x - from.x) * scale};
    }
    void put(Point at, Point offset) { outline_.push_back({at.x + offset.x, at.y + offset.y}); }

    void join(Point before, Point at, Point after) {
        const Point a = normal(before, at), b = normal(at, after);
        double turn = std::atan2(a.x * b.y - a.y * b.x, a.x * b.x + a.y * b.y);
        if (std::abs(turn) > kTip) turn = rounds_tips_ ? -std::abs(turn) : std::abs(turn);
        if (turn > 0)
            inner(before, at, after, a, b, turn);
        else
            outer(at, a, b, turn);
    }

    /// Where the two sides meet, if that takes at most half of each (the other end may want the same); else through the
    /// line's own point, which keeps every winding ≥ 0.
    void inner(Point before, Point at, Point after, Point a, Point b, double turn) {
        const double reach = half_ * std::tan(turn / 2);
        const double room =
            std::min(std::hypot(at.x - before.x, at.y - before.y), std::hypot(at.x - after.x, at.y - after.y)) / 2;
        if (turn < kTip && reach <= room) {
            const double share = 1 / (1 + std::cos(turn));
            return put(at, {(a.x + b.x) * share, (a.y + b.y) * share});
        }
        put(at, a);
        put(at, {0, 0});
        put(at, b);
    }

    void outer(Point at, Point a, Point b, double turn) {
        put(at, a);
        const double step = 2 * std::acos(std::max(0.5, 1 - kTolerance / std::max(half_, kTolerance)));
        const int count = static_cast<int>(std::ceil(-turn / step));
        for (int i = 1; i < count; ++i) {
            const double angle = turn * i / count, c = std::cos(angle), s = std::sin(angle);
            put(at, {a.x * c - a.y * s, a.x * s + a.y * c});
        }
        put(at, b);
    }

    Contour& outline_;
    double half_;
    bool rounds_tips_;
};

}  // namespace

void add_stroke(Contours& outline, const Contour& all_points, bool closed, double width) {
    Contour points = without_repeats(all_points, closed);
    if (points.size() < 2 || !(width > 0)) return;
    closed = closed && points.size() > 2;
    Contour there, back;
    Side left(there, width / 2, true), right(closed ? back : there, width / 2, false);
    closed ? left.closed(points) : left.open(points);
    std::reverse(points.begin(), points.end());
    closed ? right.closed(points) : right.open(points);
    outline.push_back(std::move(there));
    if (closed) outline.push_back(std::move(back));
}

bool turns_back(const Contour& points) {
    constexpr double kCosine = -0.17;
    for (std::size_t i = 2; i < points.size(); ++i) {
        const Point a{points[i - 1].x - points[i - 2].x, points[i - 1].y - points[i - 2].y};
        const Point b{points[i].x - points[i - 1].x, points[i].y - points[i - 1].y};
        if (a.x * b.x + a.y * b.y < kCosine * std::hypot(a.x, a.y) * std::hypot(b.x, b.y)) return true;
    }
    return false;
}

Contours stroke_outline(const Contour& points, bool closed, const Stroke& stroke) {
    Contours outline;
    if (points.empty()) return outline;
    const Contours pieces = dashed(points, closed, stroke.dash);
    const auto same = [](Point a, Point b) { return a.x == b.x && a.y == b.y; };
    const bool whole = pieces.size() == 1 && pieces[0].size() == points.size() && same(pieces[0].back(), points.back());
    for (const Contour& piece : pieces) add_stroke(outline, piece, closed && whole, stroke.width);
    return outline;
}

}  // namespace whorl::plot
