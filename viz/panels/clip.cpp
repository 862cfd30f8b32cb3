#include "viz/panels/clip.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace whorl::viz {
namespace {

using plot::Point;

bool finite(Point p) {
    return std::isfinite(p.x) && std::isfinite(p.y);
}

/// The shares of the way from a to b between which it is inside; none: begin > end.
struct Stretch {
    double begin = 0, end = 1;
};
constexpr Stretch kOutside{1, 0};

Stretch inside(Point a, Point b, double low, double high) {
    if (!finite(a) || !finite(b)) return kOutside;
    const double rise = b.y - a.y;
    if (rise == 0) return a.y >= low && a.y <= high ? Stretch{} : kOutside;
    const double first = (low - a.y) / rise, second = (high - a.y) / rise;
    return {std::max(0.0, std::min(first, second)), std::min(1.0, std::max(first, second))};
}

Point on_way(Point a, Point b, double share) {
    if (share == 0) return a;
    return share == 1 ? b : Point{a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)};
}

std::vector<Point> mirrored(std::vector<Point> line) {
    for (Point& p : line) p = {p.y, p.x};
    return line;
}

}  // namespace

std::vector<Point> between_heights(const std::vector<Point>& line, double low, double high) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    std::vector<Point> parts;
    bool open = false;  // the last point is inside the line, which goes on from there
    for (std::size_t i = 1; i < line.size(); ++i) {
        const Point a = line[i - 1], b = line[i];
        const Stretch stretch = inside(a, b, low, high);
        if (stretch.begin >= stretch.end) {
            open = false;
            continue;
        }
        if (!open || stretch.begin > 0) {
            if (!parts.empty()) parts.push_back({kNone, kNone});
            parts.push_back(on_way(a, b, stretch.begin));
        }
        parts.push_back(on_way(a, b, stretch.end));
        open = stretch.end == 1;
    }
    return parts;
}

std::vector<Point> between_widths(const std::vector<Point>& line, double low, double high) {
    return mirrored(between_heights(mirrored(line), low, high));
}

std::vector<Point> first_part(const std::vector<Point>& parts) {
    std::vector<Point> part;
    for (const Point p : parts) {
        if (!finite(p)) break;
        part.push_back(p);
    }
    return part;
}

}  // namespace whorl::viz
