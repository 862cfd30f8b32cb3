// Lines and areas of any width and shape on an ImGui draw list, in pixels, with smooth edges.
#pragma once

#include <imgui.h>

#include "viz/paint/outlines.hpp"

namespace whorl::view {

ImU32 packed(const plot::Color& color);

/// A polyline with round joins and flat ends; its dashes are cut already.
void draw_line(ImDrawList& list, const plot::Contour& points, bool closed, double width, const plot::Color& color);

/// A polygon that may be concave.
void fill_area(ImDrawList& list, plot::Contour points, const plot::Color& color);

}  // namespace whorl::view
