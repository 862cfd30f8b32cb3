// The numbers of a figure as CSV: what is drawn, in the data's units, and nothing else.
#pragma once

#include <string>

#include "viz/plot/figure.hpp"

namespace whorl::plot {

/// Long form under the names panel,mark,kind,role,part,index,x,y,value,text. Numbers are the shortest text that reads
/// back to the same double (nan: a break in a line; inf: up to the edge); `text` is the mark's label or text.
///
/// kind     part: what x, y and value are
/// line     point: x, y
/// points   point: x, y, value its size
/// arrow    from, to: x, y
/// arc      center: x, y; radius, begin, turn: value
/// region   corner: x, y
/// band     low, high: x or y
/// rule     at: x or y
/// stems    point: x, y, value its base
/// bars     from, to: x, y; thickness: value
/// grid     x_edge: x; y_edge: y; cell: value, its index row · columns + column
/// text     at: x, y
std::string figure_csv(const Figure& figure);

}  // namespace whorl::plot
