#include "viz/paint/coverage.hpp"

namespace whorl::plot {
namespace {

double x_at(Point a, Point b, double y) {
    return a.x + (b.x - a.x) * ((y - a.y) / (b.y - a.y));
}
double y_at(Point a, Point b, double x) {
    return a.y + (b.y - a.y) * ((x - a.x) / (b.x - a.x));
}

/// Nothing on paper lies further out, and sums stay exact enough.
double tame(double length) {
    return std::clamp(length, -1e7, 1e7);
}

}  // namespace

Coverage::Coverage(int width, int height)
    : width_(width),
      height_(height),
      first_row_(height),
      cells_(static_cast<std::size_t>(width + 2) * static_cast<std::size_t>(height)),
      extents_(static_cast<std::size_t>(height), Extent{width, -1}) {}

void Coverage::add(const Contour& contour, double scale) {
    for (std::size_t i = 0; i < contour.size(); ++i) {
        const Point from = contour[i], to = contour[i + 1 < contour.size() ? i + 1 : 0];
        edge({tame(from.x * scale), tame(from.y * scale)}, {tame(to.x * scale), tame(to.y * scale)});
    }
}

void Coverage::edge(Point from, Point to) {
    const double sign = from.y < to.y ? 1 : -1;
    if (sign < 0) std::swap(from, to);
    if (from.y == to.y || to.y <= 0 || from.y >= height_) return;
    const Point top = from.y < 0 ? Point{x_at(from, to, 0), 0} : from;
    const Point bottom = to.y > height_ ? Point{x_at(from, to, height_), static_cast<double>(height_)} : to;

    // What lies left of the paper covers whole rows, what lies right of it nothing; both stand at the margin instead.
    double cuts[4] = {top.y, top.y, bottom.y, bottom.y};
    if ((top.x < 0) != (bottom.x < 0)) cuts[1] = y_at(top, bottom, 0);
    if ((top.x > width_) != (bottom.x > width_)) cuts[2] = y_at(top, bottom, width_);
    if (cuts[1] > cuts[2]) std::swap(cuts[1], cuts[2]);
    const auto point = [&](double y) {
        const double x = y == top.y ? top.x : y == bottom.y ? bottom.x : x_at(top, bottom, y);
        return Point{std::clamp(x, 0.0, static_cast<double>(width_)), y};
    };
    for (int i = 0; i < 3; ++i)
        if (cuts[i] < cuts[i + 1]) edge_inside(point(cuts[i]), point(cuts[i + 1]), sign);
}

void Coverage::edge_inside(Point top, Point bottom, double sign) {
    const int first = static_cast<int>(top.y), last = std::min(static_cast<int>(bottom.y), height_ - 1);
    first_row_ = std::min(first_row_, first), last_row_ = std::max(last_row_, last);
    const double low = std::min(top.x, bottom.x), high = std::max(top.x, bottom.x);
    double x = top.x, y = top.y;
    for (int row = first; row <= last; ++row) {
        const double next_y = std::min(row + 1.0, bottom.y);
        if (next_y <= y) break;
        const double next_x = next_y == bottom.y ? bottom.x : std::clamp(x_at(top, bottom, next_y), low, high);
        edge_in_row(row, x, next_x, (next_y - y) * sign);
        x = next_x, y = next_y;
    }
}

void Coverage::edge_in_row(int row, double x0, double x1, double cover) {
    const double low = std::min(x0, x1), high = std::max(x0, x1);
    const int first = static_cast<int>(low), last = static_cast<int>(high);
    Extent& extent = extents_[static_cast<std::size_t>(row)];
    extent = {std::min(extent.first, first), std::max(extent.last, last + 1)};
    float* cells = row_of(row);
    for (int x = first; x <= last; ++x) {
        const double begin = std::max(low, static_cast<double>(x)), end = std::min(high, x + 1.0);
        const double part = high > low ? cover * (end - begin) / (high - low) : cover;
        const double right_of = (begin + end) / 2 - x;  // the share of the pixel left of this piece
        cells[x] += static_cast<float>(part * (1 - right_of));
        cells[x + 1] += static_cast<float>(part * right_of);
    }
}

}  // namespace whorl::plot
