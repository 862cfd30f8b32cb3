// Colours, dashes, shapes and sizes: one theme for light paper, one for dark, one for a projector.
//
// Hues are Okabe and Ito's (jfly.uni-koeln.de/color), each moved until it reaches a contrast of 3 (marks) or 4.5 (text)
// on its ground; models and rules differ in dash and shape as well, so that no meaning hangs on a hue.
#pragma once

#include <string>
#include <vector>

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

struct Theme {
    std::string name;
    Color ground, card, canvas, grid, axis;
    double text = 13, claim = 18, title = 15;  // type sizes
    double line_scale = 1;                     // of all widths and marks
    double paper = 1;                          // of a figure's width and height: large type needs more of it
    bool dark = false;
};

/// "light", "dark" or "projector". Throws UserError with the nearest name.
const Theme& theme(const std::string& name);
const std::vector<std::string>& theme_names();

Color color_of(const Theme& theme, Role role);
/// The dash of a role's lines at width 1, empty: solid.
std::vector<double> dash_of(Role role);
Shape shape_of(Role role);
double width_of(const Theme& theme, Weight weight);

/// Viridis at share 0 … 1.
Color viridis(double share);

/// WCAG 2: (brighter + 0.05) / (darker + 0.05), 1 … 21.
double contrast(const Color& a, const Color& b);

}  // namespace whorl::plot
