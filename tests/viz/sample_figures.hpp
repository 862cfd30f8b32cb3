// Figures that hold every kind of mark, for tests of placing and painting.
#pragma once

#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::test {

/// Two panels under each other: lines whose ends lie close together, a rule, a band, wrong answers as points.
plot::Figure close_ends();
/// Errors of rules over step size, log–log; slopes, a cursor, labels on the left.
plot::Figure slopes();
/// Three canvases with arrows, arcs, flags and hinges, above a tape of tokens.
plot::Figure dials();
/// Depth × length with numbers, and a map without.
plot::Figure heat_maps();
/// Stems, bars upright and level, with keys.
plot::Figure stems_and_bars();
/// 20 lines of 250 points each.
plot::Figure five_thousand_points();

std::vector<plot::Figure> sample_figures();

}  // namespace whorl::test
