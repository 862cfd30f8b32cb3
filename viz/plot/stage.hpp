// A panel with its frame known, on which marks are drawn.
#pragma once

#include <string>
#include <vector>

#include "viz/plot/labels.hpp"
#include "viz/plot/place.hpp"
#include "viz/plot/theme.hpp"

namespace whorl::plot {

/// Where the label of a mark goes: beside it, at the end of the frame, into the key above the frame, or by itself.
enum class LabelPlace { none, near, end, key, own };

struct Stage {
    const Panel& panel;
    const Theme& theme;
    PlacedPanel placed;
    Box room;      // where labels may stand
    Color ground;  // under the data
    bool veil;     // under labels, where a map is the ground
    Ink& ink;
    std::vector<LabelWish>& wishes;
    Placed& out;

    const Box& frame() const { return placed.frame; }
    std::string id(const std::string& mark) const { return panel.id + "." + mark; }
    Point paper(Point data) const { return placed.to_paper(data); }
    /// Whether a point on paper lies in the frame, or on it.
    bool shows(Point paper) const;
    Color color(const Style& style) const;
    /// Of lines; `dashed`: with the role's own dash where the style leaves it open.
    Stroke stroke(const Style& style, bool dashed) const;
    /// A label's letters: ink for models and rules, the role's own colour for what calls or stands back; bold for what
    /// is chosen.
    TextStyle text(const Style& style) const;
    TextBlock label(const std::string& text, const Style& style) const;
    /// Wishes for a label of the mark, unless it is empty.
    void wish(const std::string& mark, const std::string& label, const Style& style, std::vector<LabelSpot> spots);
};

/// Draws a mark. `near`: its label, if any, is to stand beside it.
void draw(Stage& stage, const Line& mark, bool near);
void draw(Stage& stage, const Points& mark, bool near);
void draw(Stage& stage, const Arrow& mark, bool near);
void draw(Stage& stage, const Arc& mark, bool near);
void draw(Stage& stage, const Region& mark, bool near);
void draw(Stage& stage, const Band& mark, bool near);
void draw(Stage& stage, const Rule& mark, bool near);
void draw(Stage& stage, const Stems& mark, bool near);
void draw(Stage& stage, const Bars& mark, bool near);
void draw(Stage& stage, const Grid& mark, bool near);
void draw(Stage& stage, const Text& mark, bool near);
void draw(Stage& stage, const Handle& mark, bool near);

/// Radius of an ordinary point, in pixels.
double point_radius(const Theme& theme, Weight weight);

/// One point's shape, of about the area of a disc of `radius`.
void add_point(Point at, double radius, Shape shape, const Color& color, bool hollow, const Color& ground,
               double border, std::vector<Shape2d>& to);

/// Appends an arrowhead whose tip is at `tip`; returns where the shaft should end.
Point add_arrowhead(Point from, Point tip, const Stroke& stroke, std::vector<Shape2d>& to);

}  // namespace whorl::plot
