// How far marks reach, and the limits of axes that follow from it.
#pragma once

#include "viz/plot/figure.hpp"

namespace whorl::plot {

/// Empty while low > high.
struct Range {
    double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
    bool empty() const { return low > high; }
    void add(double value);  // what is not finite is passed over
};

struct Extent {
    Range x, y;
    void add(Point point);
};

/// What a panel's marks cover; bands and rules count where they are finite.
Extent extent_of(const Panel& panel);

/// The axis with numbers for both limits. What is fitted gets room around the marks: little along x for lines that
/// should touch the frame, none at a zero that nothing crosses, an eighth each way on a canvas.
Axis fitted_x(const Panel& panel, const Extent& extent);
Axis fitted_y(const Panel& panel, const Extent& extent);

/// Share of the way from an axis' low to its high end, and back; 0 … 1 inside.
double share_on(const Axis& axis, double value);
double value_at(const Axis& axis, double share);

/// Widens the axis that has room left, about its middle, until a unit of both is equally long on a frame of that size.
void make_equal(Axis& x, Axis& y, double width, double height);

}  // namespace whorl::plot
