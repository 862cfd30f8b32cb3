// A figure placed on paper: shapes in pixels with their colours, in the order of painting. What place.hpp makes and the
// painters (svg.hpp, raster.hpp) read, and nothing else.
//
// x grows to the right, y downwards; (0, 0) is the corner of the paper; lengths are pixels at scale 1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "viz/plot/figure.hpp"
#include "viz/plot/font.hpp"

namespace whorl::plot {

struct Color {
    std::uint8_t red = 0, green = 0, blue = 0;
    double opacity = 1;
    bool operator==(const Color&) const = default;
};

struct Stroke {
    Color color;
    double width = 1;
    std::vector<double> dash{};  // lengths of strokes and gaps in turn; empty: solid
};

/// An open or closed polyline with round joins.
struct Path {
    std::vector<Point> points;
    Stroke stroke;
    bool closed = false;
};

/// A filled polygon with an optional border.
struct Polygon {
    std::vector<Point> points;
    Color fill;
    std::optional<Stroke> border{};
};

struct Circle {
    Point center;
    double radius = 1;
    Color fill;
    std::optional<Stroke> border{};
};

/// Upright rectangle; `corner` rounds it.
struct Box {
    Point low, high;  // upper left, lower right
    Color fill;
    double corner = 0;
    std::optional<Stroke> border{};
};

/// One run of text of one face and size; `at` is the left end of its baseline.
struct Run {
    Point at;
    std::string text;
    Face face = Face::regular;
    double size = 13;
    Color color;
};

/// Cells of equal size, [rows, columns], the first row on top.
struct Cells {
    Point low, high;
    std::int64_t rows = 0, columns = 0;
    std::vector<Color> colors;
};

using Shape2d = std::variant<Path, Polygon, Circle, Box, Run, Cells>;

/// What one mark, or one piece of the frame, became. `id` is "panel.mark"; clipped to `clip` when given.
struct Item {
    std::string id;
    std::vector<Shape2d> shapes;
    std::optional<Box> clip{};
    std::string tip{};  // a line of explanation on hover, where the painter can
};

struct Drawing {
    double width = 960, height = 540;  // the figure's times the theme's; larger if panels need it
    Color ground;
    std::string title, description;  // for those who cannot see it
    std::vector<Item> items;
};

}  // namespace whorl::plot
