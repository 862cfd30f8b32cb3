#include "tests/viz/drawing_probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/plot/geometry.hpp"

namespace whorl::test {

using namespace plot;

namespace {

Box around(const std::vector<Point>& points, double by) {
    Box box = rectangle(points.at(0), points.at(0));
    for (const Point& p : points) {
        box.low = {std::min(box.low.x, p.x), std::min(box.low.y, p.y)};
        box.high = {std::max(box.high.x, p.x), std::max(box.high.y, p.y)};
    }
    return grown(box, by);
}

double half(const std::optional<Stroke>& border) {
    return border ? border->width / 2 : 0;
}

struct Bounds {
    Box operator()(const Path& s) const { return around(s.points, s.stroke.width / 2); }
    Box operator()(const Polygon& s) const { return around(s.points, half(s.border)); }
    Box operator()(const Circle& s) const { return around({s.center}, s.radius + half(s.border)); }
    Box operator()(const Box& s) const { return grown(s, half(s.border)); }
    Box operator()(const Cells& s) const { return rectangle(s.low, s.high); }
    Box operator()(const Run& s) const {
        const FontHeights& heights = font_heights(s.face);
        return rectangle({s.at.x, s.at.y - heights.capital * s.size},
                         {s.at.x + s.size * text_width(s.text, s.face), s.at.y - heights.descent * s.size});
    }
};

std::uint8_t mixed(std::uint8_t below, std::uint8_t above, double share) {
    return static_cast<std::uint8_t>(std::lround(below + share * (above - below)));
}

Color over(const Color& below, const Color& above) {
    return {mixed(below.red, above.red, above.opacity), mixed(below.green, above.green, above.opacity),
            mixed(below.blue, above.blue, above.opacity), 1};
}

bool within(const std::vector<Point>& polygon, Point p) {
    bool inside = false;
    for (std::size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
        const Point &a = polygon[i], &b = polygon[j];
        if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) inside = !inside;
    }
    return inside;
}

/// What a fill makes of the ground at that point.
struct Fill {
    Point at;
    Color ground;
    Color operator()(const Path&) const { return ground; }
    Color operator()(const Run&) const { return ground; }
    Color operator()(const Polygon& s) const { return within(s.points, at) ? over(ground, s.fill) : ground; }
    Color operator()(const Circle& s) const {
        return std::hypot(at.x - s.center.x, at.y - s.center.y) < s.radius ? over(ground, s.fill) : ground;
    }
    Color operator()(const Box& s) const { return holds(s, at) ? over(ground, s.fill) : ground; }
    Color operator()(const Cells& s) const {
        if (!holds(rectangle(s.low, s.high), at)) return ground;
        const auto row = std::int64_t((at.y - s.low.y) / (s.high.y - s.low.y) * double(s.rows));
        const auto column = std::int64_t((at.x - s.low.x) / (s.high.x - s.low.x) * double(s.columns));
        return s.colors[std::size_t(std::min(row, s.rows - 1) * s.columns + std::min(column, s.columns - 1))];
    }
};

void append(std::string& to, const Color& c) {
    to += fmt::format("#{} {} {} {} ", c.red, c.green, c.blue, c.opacity);
}
void append(std::string& to, Point p) {
    to += fmt::format("{} {} ", p.x, p.y);
}
void append(std::string& to, const Stroke& s) {
    append(to, s.color);
    to += fmt::format("{} {} ", s.width, fmt::join(s.dash, ","));
}

struct Writer {
    std::string& to;
    void border(const std::optional<Stroke>& stroke) const {
        if (stroke) append(to, *stroke);
    }
    void operator()(const Path& s) const {
        for (const Point& p : s.points) append(to, p);
        append(to, s.stroke);
    }
    void operator()(const Polygon& s) const {
        for (const Point& p : s.points) append(to, p);
        append(to, s.fill), border(s.border);
    }
    void operator()(const Circle& s) const {
        append(to, s.center), append(to, Point{s.radius, 0}), append(to, s.fill), border(s.border);
    }
    void operator()(const Box& s) const { append(to, s.low), append(to, s.high), append(to, s.fill), border(s.border); }
    void operator()(const Run& s) const {
        append(to, s.at), to += s.text + fmt::format(" {} ", s.size), append(to, s.color);
    }
    void operator()(const Cells& s) const {
        append(to, s.low), append(to, s.high);
        for (const Color& c : s.colors) append(to, c);
    }
};

}  // namespace

Box bounds_of(const Shape2d& shape) {
    return std::visit(Bounds{}, shape);
}

std::vector<WrittenRun> written_runs(const Drawing& drawing) {
    std::vector<WrittenRun> found;
    std::vector<const Shape2d*> below;
    for (const Item& item : drawing.items)
        for (const Shape2d& shape : item.shapes) {
            if (const auto* run = std::get_if<Run>(&shape)) {
                const Point middle = middle_of(bounds_of(shape));
                Color ground = drawing.ground;
                for (const Shape2d* fill : below) ground = std::visit(Fill{middle, ground}, *fill);
                found.push_back({item.id, run->text, over(ground, run->color), ground});
            }
            below.push_back(&shape);
        }
    return found;
}

std::string text_of(const Drawing& drawing) {
    std::string all = fmt::format("{} {} {} {} ", drawing.width, drawing.height, drawing.title, drawing.description);
    append(all, drawing.ground);
    for (const Item& item : drawing.items) {
        all += item.id + " " + item.tip + " ";
        for (const Shape2d& shape : item.shapes) std::visit(Writer{all}, shape);
    }
    return all;
}

}  // namespace whorl::test
