// The views of `whorl figure` that show results: a training, a search for needles, tables, scaling.
#pragma once

#include "app/cli/figure_views.hpp"

namespace whorl::cli {

/// Their lines of figure_views().
std::vector<FigureView> result_views();

}  // namespace whorl::cli
