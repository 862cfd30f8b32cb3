// From data to paper: where every panel, tick, mark and label of a figure lands, for one theme and size.
#pragma once

#include "viz/plot/drawing.hpp"
#include "viz/plot/figure.hpp"
#include "viz/plot/theme.hpp"

namespace whorl::plot {

/// Where a panel's data ended up, so that a window can turn a click back into data.
struct PlacedPanel {
    std::string id;
    Box frame;  // of the data
    Axis x, y;  // with the limits that were taken
    Point to_paper(Point data) const;
    Point to_data(Point paper) const;
};

/// A label that was placed, with the box that it fills: tests hold them apart.
struct PlacedLabel {
    std::string id;  // "panel.mark", "panel.title", "panel.x.tick.3" …
    Box box;
};

struct Placed {
    Drawing drawing;
    std::vector<PlacedPanel> panels;
    std::vector<PlacedLabel> labels;
    std::vector<std::string> left_out{};  // labels that found no room
};

/// Throws as check(figure).
Placed place(const Figure& figure, const Theme& theme);

}  // namespace whorl::plot
