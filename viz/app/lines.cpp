#include "viz/app/lines.hpp"

#include <algorithm>
#include <cmath>

#include "viz/app/triangles.hpp"

namespace whorl::view {
namespace {

using plot::Color;
using plot::Contour;
using plot::Point;

constexpr std::size_t kMostPoints = 4000;  // of one call: a draw list's indices have 16 bits
constexpr double kHalfFringe = 0.5;        // a smooth edge is one pixel wide

ImVec2 vec(Point p) {
    return {static_cast<float>(p.x), static_cast<float>(p.y)};
}

Contour without_repeats(const Contour& points, bool closed) {
    const auto near = [](Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y) < 1e-3; };
    Contour result;
    for (const Point& point : points)
        if (result.empty() || !near(result.back(), point)) result.push_back(point);
    while (closed && result.size() > 1 && near(result.back(), result.front())) result.pop_back();
    return result;
}

/// More than 30 degrees: ImGui's joins would be too thin or too long.
bool is_sharp(Point a, Point b, Point c) {
    const double ux = b.x - a.x, uy = b.y - a.y, vx = c.x - b.x, vy = c.y - b.y;
    return ux * vx + uy * vy < 0.866 * std::hypot(ux, uy) * std::hypot(vx, vy);
}

void polyline(ImDrawList& list, const Contour& points, bool closed, double width, ImU32 color) {
    std::vector<ImVec2> all;
    for (const Point& point : points) all.push_back(vec(point));
    list.AddPolyline(all.data(), static_cast<int>(all.size()), color, closed ? ImDrawFlags_Closed : ImDrawFlags_None,
                     static_cast<float>(width));
}

/// The pieces between sharp turns, each with a disc at the turn: a round join.
void jointed(ImDrawList& list, const Contour& points, double width, ImU32 color) {
    Contour piece{points[0]};
    for (std::size_t i = 1; i < points.size(); ++i) {
        piece.push_back(points[i]);
        const bool last = i + 1 == points.size(), sharp = !last && is_sharp(points[i - 1], points[i], points[i + 1]);
        if (!last && !sharp && piece.size() < kMostPoints) continue;
        polyline(list, piece, false, width, color);
        if (sharp) list.AddCircleFilled(vec(points[i]), static_cast<float>(width / 2), color);
        piece = {points[i]};
    }
}

/// Begins at a sharp turn if there is one, and ends there.
void jointed_ring(ImDrawList& list, Contour points, double width, ImU32 color) {
    const std::size_t n = points.size();
    for (std::size_t i = 0; i < n; ++i) {
        if (!is_sharp(points[(i + n - 1) % n], points[i], points[(i + 1) % n])) continue;
        std::rotate(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(i), points.end());
        points.push_back(points.front());
        list.AddCircleFilled(vec(points[0]), static_cast<float>(width / 2), color);
        return jointed(list, points, width, color);
    }
    polyline(list, points, true, width, color);
}

/// How far the edge at each corner moves outwards for a distance of 1, on a polygon that runs clockwise.
std::vector<Point> outward(const Contour& points) {
    const std::size_t n = points.size();
    const auto normal = [&](std::size_t i) {
        const Point a = points[i], b = points[(i + 1) % n];
        const double length = std::hypot(b.x - a.x, b.y - a.y);
        return Point{(b.y - a.y) / length, (a.x - b.x) / length};
    };
    std::vector<Point> result;
    for (std::size_t i = 0; i < n; ++i) {
        const Point a = normal((i + n - 1) % n), b = normal(i), sum{(a.x + b.x) / 2, (a.y + b.y) / 2};
        const double share = 1 / std::max(0.1, sum.x * sum.x + sum.y * sum.y);
        result.push_back({sum.x * share, sum.y * share});
    }
    return result;
}

/// One stretch, smooth also at its ends, which ImGui's lines are not. One shorter than a pixel is a fainter one of a
/// pixel.
void draw_stretch(ImDrawList& list, Point a, Point b, double width, Color color) {
    const double length = std::hypot(b.x - a.x, b.y - a.y), half = width / 2, drawn = std::max(1.0, length) / 2;
    const Point middle{(a.x + b.x) / 2, (a.y + b.y) / 2};
    const double ux = (b.x - a.x) / length, uy = (b.y - a.y) / length;
    const auto corner = [&](double on, double aside) {
        return Point{middle.x + ux * on - uy * aside, middle.y + uy * on + ux * aside};
    };
    color.opacity *= std::min(1.0, length);
    fill_area(list, {corner(-drawn, -half), corner(drawn, -half), corner(drawn, half), corner(-drawn, half)}, color);
}

}  // namespace

ImU32 packed(const Color& color) {
    const auto opacity = static_cast<int>(std::lround(255 * std::clamp(color.opacity, 0.0, 1.0)));
    return IM_COL32(color.red, color.green, color.blue, opacity);
}

void draw_line(ImDrawList& list, const Contour& all_points, bool closed, double width, const Color& color) {
    const Contour points = without_repeats(all_points, closed);
    if (points.size() < 2 || !(width > 0)) return;
    closed = closed && points.size() > 2 && points.size() < kMostPoints;
    Color ink = color;
    ink.opacity *= std::min(1.0, width);  // ImGui draws no line thinner than a pixel
    width = std::max(1.0, width);
    if (points.size() == 2) return draw_stretch(list, points[0], points[1], width, ink);
    // A disc on a line would show where both are translucent.
    const bool plain = ink.opacity < 0.99 && points.size() < kMostPoints;
    if (plain) return polyline(list, points, closed, width, packed(ink));
    closed ? jointed_ring(list, points, width, packed(ink)) : jointed(list, points, width, packed(ink));
}

void fill_area(ImDrawList& list, Contour points, const Color& color) {
    points = without_repeats(points, true);
    if (points.size() < 3 || points.size() > 4 * kMostPoints || !(color.opacity > 0)) return;
    if (signed_area(points) < 0) std::reverse(points.begin(), points.end());
    const int n = static_cast<int>(points.size());
    const std::vector<Point> out = outward(points);
    const auto inside = triangles(points);
    const ImU32 full = packed(color), none = full & ~IM_COL32_A_MASK;
    const ImVec2 white = ImGui::GetFontTexUvWhitePixel();
    list.PrimReserve(static_cast<int>(inside.size()) * 3 + n * 6, n * 2);
    const unsigned first = list._VtxCurrentIdx;
    const auto index = [&](int at) { list.PrimWriteIdx(static_cast<ImDrawIdx>(first + static_cast<unsigned>(at))); };
    for (const auto& triangle : inside)
        for (const int corner : triangle) index(2 * corner);
    for (int i = 0, j = n - 1; i < n; j = i++)
        for (const int corner : {2 * j, 2 * i, 2 * i + 1, 2 * i + 1, 2 * j + 1, 2 * j}) index(corner);
    for (std::size_t i = 0; i < points.size(); ++i) {
        const Point p = points[i], step{out[i].x * kHalfFringe, out[i].y * kHalfFringe};
        list.PrimWriteVtx(vec({p.x - step.x, p.y - step.y}), white, full);
        list.PrimWriteVtx(vec({p.x + step.x, p.y + step.y}), white, none);
    }
}

}  // namespace whorl::view
