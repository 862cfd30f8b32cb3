// One shape as SVG elements.
#pragma once

#include <string>

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

/// `outlines`: letters as uses of svg_letter. Ends with a line break; empty when nothing is to be seen.
std::string svg_shape(const Shape2d& shape, bool outlines);

/// A letter's outline, to be defined once in a file; empty for a blank.
std::string svg_letter(Face face, char32_t letter);

/// ` x="…" y="…" width="…" height="…"`
std::string svg_place(const Box& box);

/// ` fill="#rrggbb"`, with its opacity where it is not 1.
std::string svg_fill(const Color& color);

}  // namespace whorl::plot
