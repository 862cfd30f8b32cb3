// Texts around the data, and the distances between them.
#pragma once

#include <string>

#include "viz/plot/text_runs.hpp"
#include "viz/plot/theme.hpp"

namespace whorl::plot {

/// Distances in pixels, all of them parts of the type size: a grid of 8 pixels at type of 13.
struct Spacing {
    double margin, column_gap, row_gap, tick_gap, below_titles, below_claim;
    explicit Spacing(const Theme& theme);
};

/// Bold as a whole, unless it says itself what is bold in it. Lines that must be broken are about equally long.
TextBlock heading(const std::string& text, const Theme& theme, double size, double width);

/// Explanations: type of the text's size in the secondary colour.
TextBlock quiet(const std::string& text, const Theme& theme, double width);

/// Where a figure comes from: small.
TextBlock small_print(const std::string& text, const Theme& theme, double width);

}  // namespace whorl::plot
