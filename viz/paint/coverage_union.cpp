// Coverage of overlapping contours: along each scanline, the spans that any of them covers.
#include "viz/paint/coverage.hpp"

namespace whorl::plot {
namespace {

/// A contour's edge in scanlines: from `first` on it crosses `count` of them, at x and then each time `step` further.
struct Crossing {
    int first, count;
    double x, step;
    int sign;
};

/// Scanline i lies at (i + 1/2) / kScanlines pixels; those of the paper are 0 … lines - 1.
void add_crossing(std::vector<Crossing>& crossings, Point from, Point to, int lines) {
    const int sign = from.y < to.y ? 1 : -1;
    if (sign < 0) std::swap(from, to);
    const double scale = Coverage::kScanlines;
    const auto line_after = [&](double y) {
        return static_cast<int>(std::clamp(std::ceil(y * scale - 0.5), 0.0, static_cast<double>(lines)));
    };
    const int first = line_after(from.y), end = line_after(to.y);
    if (first >= end) return;
    const double slope = (to.x - from.x) / (to.y - from.y);
    crossings.push_back({first, end - first, from.x + slope * ((first + 0.5) / scale - from.y), slope / scale, sign});
}

std::vector<Crossing> crossings_of(const Contours& contours, double scale, int lines) {
    std::vector<Crossing> crossings;
    for (const Contour& contour : contours)
        for (std::size_t i = 0; i < contour.size(); ++i) {
            const Point a = contour[i], b = contour[i + 1 < contour.size() ? i + 1 : 0];
            add_crossing(crossings, {a.x * scale, a.y * scale}, {b.x * scale, b.y * scale}, lines);
        }
    std::sort(crossings.begin(), crossings.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return crossings;
}

}  // namespace

void Coverage::add_union(const Contours& contours, double scale) {
    const std::vector<Crossing> crossings = crossings_of(contours, scale, height_ * kScanlines);
    std::vector<Crossing> active;
    std::size_t next = 0;
    for (int line = crossings.empty() ? 0 : crossings[0].first; next < crossings.size() || !active.empty(); ++line) {
        for (; next < crossings.size() && crossings[next].first == line; ++next) active.push_back(crossings[next]);
        // Nearly sorted from the line before.
        for (std::size_t i = 1; i < active.size(); ++i)
            for (std::size_t j = i; j > 0 && active[j].x < active[j - 1].x; --j) std::swap(active[j], active[j - 1]);
        int winding = 0;
        for (Crossing& crossing : active) {
            const int before = winding;
            winding += crossing.sign;
            if ((before == 0) != (winding == 0)) edge_of_span(line / kScanlines, crossing.x, winding != 0);
            crossing.x += crossing.step, --crossing.count;
        }
        active.erase(std::remove_if(active.begin(), active.end(), [](const Crossing& c) { return c.count == 0; }),
                     active.end());
    }
}

void Coverage::edge_of_span(int row, double x, bool begins) {
    first_row_ = std::min(first_row_, row), last_row_ = std::max(last_row_, row);
    const double inside = std::clamp(x, 0.0, static_cast<double>(width_));
    edge_in_row(row, inside, inside, (begins ? 1.0 : -1.0) / kScanlines);
}

}  // namespace whorl::plot
