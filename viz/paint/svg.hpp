// A drawing as SVG: real text in letters that the file brings along, a title and a description for those who cannot see
// it, an id for every item.
#pragma once

#include <string>

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

struct SvgOptions {
    /// Letters as paths: for programs that know no embedded fonts.
    bool outlines = false;
    /// Each of the drawing's pixels is that large; coordinates stay the drawing's.
    double scale = 1;
};

/// A whole file, valid XML whatever the texts hold. Each item is a group with its id, its clip path and, as <title>,
/// its tip; items of the same id get a number. Numbers have two decimals (outlined letters three); shapes with one that
/// is not finite are left out.
std::string svg(const Drawing& drawing, const SvgOptions& options = {});

}  // namespace whorl::plot
