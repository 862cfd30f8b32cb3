// A drawing as pixels.
#pragma once

#include <cstdint>
#include <vector>

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

/// Rows from the top, four bytes a pixel: red, green, blue, opacity (always 255: the ground lies on white).
struct Image {
    int width = 0, height = 0;
    std::vector<std::uint8_t> rgba;
};

/// `scale` pixels to each of the drawing's. Every shape is smoothed by the exact area of each pixel that it covers;
/// shapes with a number that is not finite are left out.
Image raster(const Drawing& drawing, double scale = 1);

}  // namespace whorl::plot
