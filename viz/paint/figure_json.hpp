// A figure as JSON: all that it holds, for other programs.
#pragma once

#include <string>

#include "viz/plot/figure.hpp"

namespace whorl::plot {

/// One line, ended. `format` is "whorl-figure-1"; keys are the names in figure.hpp, a mark's fields and those of its
/// style beside each other, points [x, y]. What is not finite, such as a fitted limit or a break in a line, is null.
std::string figure_json(const Figure& figure);

}  // namespace whorl::plot
