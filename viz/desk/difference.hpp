// Two figures of one kind as one: A's lines less B's, sign included.
#pragma once

#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// Lines of the same panel and id are subtracted at A's places, B between its own; all other marks are left out. Throws
/// UserError where the two have no line in common.
plot::Figure difference_figure(const plot::Figure& a, const plot::Figure& b);

}  // namespace whorl::viz
