// Pixels as a PNG file's bytes.
#pragma once

#include <string>

#include "viz/paint/raster.hpp"

namespace whorl::plot {

/// 8-bit RGB. The same pixels give the same bytes.
std::string png_bytes(const Image& image);

}  // namespace whorl::plot
