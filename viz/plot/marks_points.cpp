// Points and stems.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "viz/plot/stage.hpp"
#include "viz/plot/ticks.hpp"

namespace whorl::plot {

namespace {

constexpr double kHandle = 1.35;  // its radius, in those of a chosen point

void add_polygon(Point at, const std::vector<Point>& corners, double scale, const Color& fill,
                 const std::optional<Stroke>& border, std::vector<Shape2d>& to) {
    Polygon polygon;
    for (const Point& corner : corners) polygon.points.push_back({at.x + scale * corner.x, at.y + scale * corner.y});
    polygon.fill = fill;
    polygon.border = border;
    to.emplace_back(std::move(polygon));
}

/// Corners for a disc of radius 1: shapes of nearly its area.
const std::vector<Point> kSquare{{-0.88, -0.88}, {0.88, -0.88}, {0.88, 0.88}, {-0.88, 0.88}};
const std::vector<Point> kDiamond{{0, -1.3}, {1.3, 0}, {0, 1.3}, {-1.3, 0}};
const std::vector<Point> kTriangle{{0, -1.3}, {1.25, 0.87}, {-1.25, 0.87}};
const std::vector<Point> kWedge{{0, 1.3}, {1.25, -0.87}, {-1.25, -0.87}};

void add_cross(Point at, double radius, const Stroke& stroke, std::vector<Shape2d>& to) {
    const double r = 0.95 * radius;
    to.emplace_back(Path{{{at.x - r, at.y - r}, {at.x + r, at.y + r}}, stroke});
    to.emplace_back(Path{{{at.x - r, at.y + r}, {at.x + r, at.y - r}}, stroke});
}

std::string tip_of(const std::string& label, const std::vector<Point>& points) {
    const std::string words = plain_text(label);
    if (points.size() != 1) return words;
    const std::string place = plain_text(number_text(points[0].x, 4)) + ", " + plain_text(number_text(points[0].y, 4));
    return words.empty() ? place : words + ": " + place;
}

}  // namespace

void add_point(Point at, double radius, Shape shape, const Color& color, bool hollow, const Color& ground,
               double border, std::vector<Shape2d>& to) {
    if (shape == Shape::cross) return add_cross(at, radius, {color, border}, to);
    const Color fill = hollow ? ground : color;
    std::optional<Stroke> edge;
    if (hollow) edge = Stroke{color, border};
    switch (shape) {
        case Shape::square:
            return add_polygon(at, kSquare, radius, fill, edge, to);
        case Shape::diamond:
            return add_polygon(at, kDiamond, radius, fill, edge, to);
        case Shape::triangle:
            return add_polygon(at, kTriangle, radius, fill, edge, to);
        case Shape::wedge:
            return add_polygon(at, kWedge, radius, fill, edge, to);
        default:
            to.emplace_back(Circle{at, radius, fill, edge});
    }
}

void draw(Stage& stage, const Points& mark, bool near) {
    Item item;
    item.id = stage.id(mark.id);
    item.tip = tip_of(mark.label, mark.points);
    const Shape shape = mark.shape == Shape::by_role ? shape_of(mark.style.role) : mark.shape;
    const double ordinary = point_radius(stage.theme, mark.style.weight);
    const double border = width_of(stage.theme, Weight::data) * (stage.theme.line_scale > 1 ? 0.75 : 1);
    for (std::size_t i = 0; i < mark.points.size(); ++i) {
        const Point at = stage.paper(mark.points[i]);
        if (!stage.shows(at)) continue;
        const double radius = ordinary * (mark.sizes.empty() ? 1 : std::sqrt(mark.sizes[i]));
        add_point(at, radius, shape, stage.color(mark.style), mark.hollow, stage.ground, border, item.shapes);
        stage.ink.add_disc(at, radius);
        if (near && i == 0 && !mark.label.empty())
            stage.wish(mark.id, mark.label, mark.style,
                       spots_around(at, radius + 4, stage.label(mark.label, mark.style), {{1, 0}, {-1, 0}}));
    }
    stage.out.drawing.items.push_back(std::move(item));
}

/// A ring with its middle filled: what can be taken hold of looks like nothing else.
void draw(Stage& stage, const Handle& mark, bool near) {
    Item item;
    item.id = stage.id(mark.id);
    item.tip = tip_of(mark.label, {mark.at});
    const Point at = stage.paper(mark.at);
    if (stage.shows(at)) {
        const Color color = stage.color(mark.style);
        const double radius = kHandle * point_radius(stage.theme, Weight::chosen);
        item.shapes.emplace_back(Circle{at, radius, stage.ground, Stroke{color, width_of(stage.theme, Weight::data)}});
        item.shapes.emplace_back(Circle{at, 0.45 * radius, color, std::nullopt});
        stage.ink.add_disc(at, radius);
        if (near)
            stage.wish(mark.id, mark.label, mark.style,
                       spots_around(at, radius + 3, stage.label(mark.label, mark.style), {{0, -1}, {1, 0}}));
    }
    stage.out.drawing.items.push_back(std::move(item));
}

void draw(Stage& stage, const Stems& mark, bool near) {
    Item item;
    item.id = stage.id(mark.id);
    item.tip = tip_of(mark.label, mark.points);
    const Color color = stage.color(mark.style);
    const double radius = point_radius(stage.theme, mark.style.weight);
    const double border = width_of(stage.theme, Weight::data) * (stage.theme.line_scale > 1 ? 0.75 : 1);
    for (const Point& point : mark.points) {
        const Point top = stage.paper(point), foot = stage.paper({point.x, mark.base});
        for (const std::vector<Point>& piece : clipped_line({foot, top}, stage.frame())) {
            item.shapes.emplace_back(Path{piece, stage.stroke(mark.style, false)});
            stage.ink.add_line(piece);
        }
        if (!stage.shows(top)) continue;
        add_point(top, radius, shape_of(mark.style.role), color, mark.hollow, stage.ground, border, item.shapes);
        stage.ink.add_disc(top, radius);
        if (near && !mark.label.empty() && &point == &mark.points.front())
            stage.wish(mark.id, mark.label, mark.style,
                       spots_around(top, radius + 4, stage.label(mark.label, mark.style), {{0, -1}, {1, 0}}));
    }
    stage.out.drawing.items.push_back(std::move(item));
}

}  // namespace whorl::plot
