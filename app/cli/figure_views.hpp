// The views that `whorl figure` knows: each makes a figure from what the user named.
#pragma once

#include <string>
#include <vector>

#include "app/cli/options.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::cli {

struct FigureView {
    const char* name;
    const char* sources;               // "[MODEL…]"
    const char* about;                 // one line for --list
    std::vector<const char*> options;  // of its own, beside those that all have
    plot::Figure (*make)(const Parsed& parsed, const std::vector<std::string>& sources);
};

/// In the order in which --list shows them.
const std::vector<FigureView>& figure_views();

/// Throws UserError with the nearest name.
const FigureView& figure_view(const std::string& name);

}  // namespace whorl::cli
