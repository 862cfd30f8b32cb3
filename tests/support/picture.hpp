// Pictures read back, and the ink on them measured.
#pragma once

#include <string>

#include "viz/paint/raster.hpp"

/// The pixels of a PNG file's bytes; throws std::runtime_error for what is none.
whorl::plot::Image read_png(const std::string& bytes);

/// How dark the pixels are, 0 … 1 each, black on white: their sum, its middle and the edges of all that has any ink.
struct Ink {
    double area = 0;                                  // in pixels
    double x = 0, y = 0;                              // its center of mass; a pixel's center is at + 1/2
    double left = 0, top = 0, right = 0, bottom = 0;  // where it begins and ends, by the outermost pixels' shares
};
Ink measure_ink(const whorl::plot::Image& image);

/// Means over all pixels and channels of |a - b| and of a - b, 0 … 255; throws where sizes differ.
struct Difference {
    double mean = 0, bias = 0;
    double beyond = 0;  // the share of the values that differ by more than 64
};
Difference difference(const whorl::plot::Image& a, const whorl::plot::Image& b);
