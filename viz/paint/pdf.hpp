// A drawing as PDF, by a program that is installed or not.
#pragma once

#include <string>

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

/// Runs rsvg-convert on the SVG with outlined letters. Throws UserError naming the package where it is not installed,
/// RuntimeFailure with its own words where it fails.
std::string pdf_bytes(const Drawing& drawing);

}  // namespace whorl::plot
