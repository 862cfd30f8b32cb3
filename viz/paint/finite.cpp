#include "viz/paint/finite.hpp"

#include <algorithm>
#include <cmath>

namespace whorl::plot {
namespace {

bool good(Point point) {
    return std::isfinite(point.x) && std::isfinite(point.y);
}
bool good(const std::vector<Point>& points) {
    return std::all_of(points.begin(), points.end(), [](Point point) { return good(point); });
}
bool good(const std::optional<Stroke>& stroke) {
    return !stroke || std::isfinite(stroke->width);
}

bool finite(const Path& path) {
    return good(path.points) && std::isfinite(path.stroke.width);
}
bool finite(const Polygon& polygon) {
    return good(polygon.points) && good(polygon.border);
}
bool finite(const Circle& circle) {
    return good(circle.center) && std::isfinite(circle.radius) && good(circle.border);
}
bool finite(const Box& box) {
    return good(box.low) && good(box.high) && std::isfinite(box.corner) && good(box.border);
}
bool finite(const Run& run) {
    return good(run.at) && std::isfinite(run.size);
}
bool finite(const Cells& cells) {
    return good(cells.low) && good(cells.high) && cells.rows > 0 && cells.columns > 0 &&
           static_cast<std::int64_t>(cells.colors.size()) == cells.rows * cells.columns;
}

}  // namespace

bool is_finite(const Shape2d& shape) {
    return std::visit([](const auto& s) { return finite(s); }, shape);
}

}  // namespace whorl::plot
