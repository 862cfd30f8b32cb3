#include <algorithm>
#include <cmath>

#include "viz/plot/labels.hpp"

namespace whorl::plot {

namespace {
constexpr double kInkCell = 4;

std::int64_t square_of(double length) {
    return static_cast<std::int64_t>(std::floor(length / kInkCell));
}
}  // namespace

Ink::Ink(double width, double height)
    : columns_(square_of(width) + 1),
      rows_(square_of(height) + 1),
      inked_(static_cast<std::size_t>(columns_ * rows_), 0) {}

void Ink::mark(double x, double y) {
    const std::int64_t column = square_of(x), row = square_of(y);
    if (column >= 0 && column < columns_ && row >= 0 && row < rows_)
        inked_[static_cast<std::size_t>(row * columns_ + column)] = 1;
}

void Ink::add_line(const std::vector<Point>& points) {
    for (std::size_t i = 1; i < points.size(); ++i) {
        const Point a = points[i - 1], b = points[i];
        const double length = std::hypot(b.x - a.x, b.y - a.y);
        const int steps = 1 + static_cast<int>(std::min(length / (kInkCell / 2), 1e5));
        for (int k = 0; k <= steps; ++k) mark(a.x + (b.x - a.x) * k / steps, a.y + (b.y - a.y) * k / steps);
    }
}

void Ink::add_disc(Point center, double radius) {
    add_box(rectangle({center.x - radius, center.y - radius}, {center.x + radius, center.y + radius}));
}

void Ink::add_box(const Box& box) {
    for (double y = box.low.y; y < box.high.y + kInkCell; y += kInkCell)
        for (double x = box.low.x; x < box.high.x + kInkCell; x += kInkCell)
            mark(std::min(x, box.high.x), std::min(y, box.high.y));
}

double Ink::share(const Box& box) const {
    const std::int64_t left = std::max<std::int64_t>(0, square_of(box.low.x));
    const std::int64_t right = std::min(columns_ - 1, square_of(box.high.x));
    const std::int64_t top = std::max<std::int64_t>(0, square_of(box.low.y));
    const std::int64_t bottom = std::min(rows_ - 1, square_of(box.high.y));
    std::int64_t inked = 0;
    for (std::int64_t row = top; row <= bottom; ++row)
        for (std::int64_t column = left; column <= right; ++column)
            inked += inked_[static_cast<std::size_t>(row * columns_ + column)];
    const std::int64_t all = (right - left + 1) * (bottom - top + 1);
    return all > 0 ? static_cast<double>(inked) / static_cast<double>(all) : 0;
}

}  // namespace whorl::plot
