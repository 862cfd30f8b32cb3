// A figure as data: one claim, panels with axes, and marks in the data's own units.
//
// There are no pixels and no colours in it: a mark says what it is (its role), place.hpp decides where it lands for a
// size and a theme, and the painters put that on paper. So one figure becomes SVG, PNG, CSV, JSON, words, or a picture
// in a window, and tests read a claim off its marks.
//
// Texts are UTF-8 with three marks of their own (text_runs.hpp): _{t} below the line, ^{-2} above it, and a letter
// followed by U+0304 has a bar: B̄. **bold** is bold.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace whorl::plot {

struct Point {
    double x = 0, y = 0;
};

/// What a mark stands for; a theme gives each its colour, dash and shape (theme.hpp). Models and rules that may stand
/// in one panel differ in all three.
enum class Role {
    ink,        // the main thing where no model is meant; titles
    secondary,  // explanations, tick labels
    muted,      // context
    accent,     // what the reader is asked to look at, or chose: a cursor, a needle
    truth,      // the exact or right value
    mamba3,
    mamba2,
    gated_delta_net,
    attention,
    forward_euler,
    backward_euler,
    zero_order_hold,
    bilinear,
    right,  // ✓
    wrong   // ✗
};

/// How heavy a line is.
enum class Weight { hair, context, data, chosen, arrow };

enum class Dash { by_role, solid, dashed, dotted, dash_dot };
enum class Shape { by_role, disc, square, diamond, cross, triangle, wedge };  // wedge: a triangle on its tip

struct Style {
    Role role = Role::ink;
    Weight weight = Weight::data;
    double strength = 1;  // 0: invisible … 1: full; ghosts and trails fade
    Dash dash = Dash::by_role;
};

/// Through `points`, in order; a point that is not finite breaks the line. `label` stands at its end, its beginning or
/// where there is room.
struct Line {
    std::string id;
    std::vector<Point> points;
    Style style;
    std::string label{};
};

/// `sizes`: areas as multiples of an ordinary point's; empty: all 1. `names`: what is said of each point instead of its
/// numbers; `opens`: what shows it, as `whorl view` takes it. Both may be empty, and so may each of them.
struct Points {
    std::string id;
    std::vector<Point> points;
    Style style;
    Shape shape = Shape::by_role;
    bool hollow = false;
    std::string label{};
    std::vector<double> sizes{};
    std::vector<std::string> names{}, opens{};
};

struct Arrow {
    std::string id;
    Point from, to;
    Style style;
    std::string label{};
};

/// Part of a circle, for panels with equal axes; angles in radians, counter-clockwise from the x axis.
struct Arc {
    std::string id;
    Point center;
    double radius = 1, begin = 0, turn = 0;
    Style style;
    bool arrowhead = false;
    std::string label{};
};

/// A filled polygon.
struct Region {
    std::string id;
    std::vector<Point> outline;
    Style style;
    std::string label{};
};

enum class Direction { x, y };

/// All between two values of one axis; infinite: up to the edge.
struct Band {
    std::string id;
    Direction along = Direction::x;  // the axis that low and high are values of
    double low = 0, high = 0;
    Style style;
    std::string label{};
};

/// A straight line across the panel at one value of an axis.
struct Rule {
    std::string id;
    Direction along = Direction::x;  // the axis that `at` is a value of
    double at = 0;
    Style style;
    std::string label{};
};

/// A line from `base` up to each point, with a cap.
struct Stems {
    std::string id;
    std::vector<Point> points;
    Style style;
    double base = 0;
    bool hollow = false;
    std::string label{};
};

/// A bar from `from` to `to` over each place `at`; `thickness` in units of the axis that the places lie on.
struct Bar {
    double at = 0, from = 0, to = 0;
};
struct Bars {
    std::string id;
    std::vector<Bar> bars;
    Style style;
    double thickness = 0.8;
    Direction along = Direction::y;  // the axis that from and to are values of
    std::string label{};
};

/// Cells in viridis: values [rows, columns], row r between y_edges[r] and y_edges[r+1].
struct Grid {
    std::string id;
    std::vector<double> x_edges, y_edges, values;
    double low = 0, high = 1;
    bool numbers = false;  // written into the cells
    std::string label{};   // of the colour scale
    std::string low_text{}, high_text{};
};

enum class Anchor { left, center, right };

/// A text that stands where it is put, its middle line through `at`.
struct Text {
    std::string id;
    Point at;
    std::string text;
    Style style;
    Anchor anchor = Anchor::center;
    bool boxed = false;  // in a rounded box, as a token on the tape
};

/// A place that can be dragged; its id names the controls that follow it, with "+" between: "turn1", "in1+key1".
struct Handle {
    std::string id;
    Point at;
    Style style{Role::accent};
    std::string label{};
    double pace = 1;  // by so much its place moves along x for one more of the control, where that is the same anywhere
};

using Mark = std::variant<Line, Points, Arrow, Arc, Region, Band, Rule, Stems, Bars, Grid, Text, Handle>;

struct Tick {
    double at = 0;
    std::string text;
};

enum class Scale { linear, log };

inline constexpr double kFitted = std::numeric_limits<double>::quiet_NaN();

/// `low`, `high`: kFitted takes them from the marks, with some room. Ticks: none given means computed ones, in round
/// numbers.
struct Axis {
    std::string label{}, unit{};
    double low = kFitted, high = kFitted;
    Scale scale = Scale::linear;
    std::vector<Tick> ticks{};
    bool shown = true;  // false: no ticks, no labels, no grid
};

/// One pair of axes. Rows and columns count in the figure's grid of panels.
struct Panel {
    std::string id;
    std::string title{}, subtitle{};
    Axis x{}, y{};
    bool equal = false;   // one unit is as long in x as in y; the axes grow to fill the room
    bool canvas = false;  // a tinted ground with lines through the origin instead of ticks, as for dials
    std::vector<Mark> marks{};
    int row = 0, column = 0, rows = 1, columns = 1;
};

struct Figure {
    std::string id;
    std::string claim;       // its title: one sentence
    std::string subtitle{};  // what is plotted
    std::vector<Panel> panels{};
    /// Shares of the height and width that each row and column of panels gets; empty: equal ones.
    std::vector<double> row_shares{}, column_shares{};
    double width = 960, height = 540;  // at scale 1, in pixels
    std::vector<std::string> words{};  // says what the picture says, a sentence or two each
    std::string source{};              // the command that makes it, small below
};

/// The id of any mark.
const std::string& id_of(const Mark& mark);

/// Throws UserError for what cannot be drawn (std::logic_error would be a fault of a view): no panel, an empty id or
/// two equal ones in a panel, sizes that do not match, a value that is not finite where it must be, a log axis with
/// values ≤ 0.
void check(const Figure& figure);

}  // namespace whorl::plot
