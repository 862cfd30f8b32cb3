#include "viz/paint/outlines.hpp"

#include <algorithm>
#include <cmath>

namespace whorl::plot {
namespace {

constexpr double kTurn = 6.283185307179586;

/// How many chords a turn by `angle` on a circle takes.
int chords(double radius, double angle) {
    const double step = 2 * std::acos(std::max(0.5, 1 - kTolerance / std::max(radius, kTolerance)));
    return std::clamp(static_cast<int>(std::ceil(std::abs(angle) / step)), 1, 2000);
}

/// Appends the arc, both ends included.
void add_arc(Contour& contour, Point center, double radius, double begin, double angle) {
    const int count = chords(radius, angle);
    for (int i = 0; i <= count; ++i) {
        const double at = begin + angle * i / count;
        contour.push_back({center.x + radius * std::cos(at), center.y + radius * std::sin(at)});
    }
}

Point between(Point a, Point b, double share) {
    return {a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share};
}

/// Appends a quadratic curve without its beginning. Its chords lie within |a - 2b + c| / (8 n²) of it, over 2.
void add_curve(Contour& contour, Point a, Point b, Point c) {
    const double bend = std::hypot(a.x - 2 * b.x + c.x, a.y - 2 * b.y + c.y);
    const int count = std::clamp(static_cast<int>(std::ceil(std::sqrt(bend / (4 * kTolerance)))), 1, 50);
    for (int i = 1; i <= count; ++i) {
        const double share = static_cast<double>(i) / count;
        contour.push_back(between(between(a, b, share), between(b, c, share), share));
    }
}

/// `to_paper` puts a point of the glyph where it belongs.
template <class ToPaper>
Contour flat(const std::vector<OutlinePoint>& outline, const ToPaper& to_paper) {
    Contour contour;
    contour.push_back(to_paper(outline[0]));
    for (std::size_t i = 1; i < outline.size(); ++i) {
        if (outline[i].on)
            contour.push_back(to_paper(outline[i]));
        else  // between two points on the curve, as font.hpp's outlines are
            add_curve(contour, contour.back(), to_paper(outline[i]), to_paper(outline[(i + 1) % outline.size()]));
        if (!outline[i].on) ++i;
    }
    return contour;
}

}  // namespace

Contour outline_of(const Circle& circle) {
    Contour contour;
    add_arc(contour, circle.center, circle.radius, 0, kTurn);
    contour.pop_back();
    return contour;
}

Box in_order(const Box& box) {
    Box result = box;
    if (result.low.x > result.high.x) std::swap(result.low.x, result.high.x);
    if (result.low.y > result.high.y) std::swap(result.low.y, result.high.y);
    const double room = std::min(result.high.x - result.low.x, result.high.y - result.low.y) / 2;
    result.corner = std::clamp(result.corner, 0.0, room);
    return result;
}

Contour outline_of(const Box& any_box) {
    const Box box = in_order(any_box);
    const Point low = box.low, high = box.high;
    if (box.corner == 0) return {low, {high.x, low.y}, high, {low.x, high.y}};
    const double r = box.corner, quarter = kTurn / 4;
    Contour contour;
    add_arc(contour, {high.x - r, low.y + r}, r, -quarter, quarter);
    add_arc(contour, {high.x - r, high.y - r}, r, 0, quarter);
    add_arc(contour, {low.x + r, high.y - r}, r, quarter, quarter);
    add_arc(contour, {low.x + r, low.y + r}, r, 2 * quarter, quarter);
    std::rotate(contour.begin(), contour.end() - 1, contour.end());
    return contour;
}

Contours outline_of(const Run& run) {
    Contours contours;
    double x = run.at.x;
    for (const char32_t letter : letters_of(run.text)) {
        const Glyph& shape = glyph(run.face, letter);
        const auto to_paper = [&](const OutlinePoint& p) {
            return Point{x + static_cast<double>(p.x) * run.size, run.at.y - static_cast<double>(p.y) * run.size};
        };
        for (const std::vector<OutlinePoint>& outline : shape.contours)
            if (outline.size() > 1) contours.push_back(flat(outline, to_paper));
        x += static_cast<double>(shape.advance) * run.size;
    }
    return contours;
}

}  // namespace whorl::plot
