// Rectangles on paper, and what of a line or polygon lies in one.
#pragma once

#include <vector>

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

Box rectangle(Point low, Point high);
Box grown(const Box& box, double by);
Box moved(const Box& box, Point by);
double width_of(const Box& box);
double height_of(const Box& box);
Point middle_of(const Box& box);
bool holds(const Box& box, Point point);
bool holds(const Box& outer, const Box& inner);
/// True where both have an area in common; touching edges do not count.
bool overlap(const Box& a, const Box& b);
bool finite(Point point);

/// The pieces of a polyline that lie in `box`; points that are not finite break it (Liang and Barsky, segment by
/// segment).
std::vector<std::vector<Point>> clipped_line(const std::vector<Point>& points, const Box& box);

/// The part of a polygon that lies in `box`, empty if none (Sutherland and Hodgman).
std::vector<Point> clipped_polygon(std::vector<Point> points, const Box& box);

}  // namespace whorl::plot
