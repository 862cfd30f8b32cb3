// A drawing on an ImGui draw list: the painter of windows, beside svg.hpp and raster.hpp.
#pragma once

#include <imgui.h>

#include "viz/app/fonts.hpp"
#include "viz/plot/drawing.hpp"

namespace whorl::view {

/// Keeps large grids as textures, one pixel a cell: as rectangles they would overflow a draw list's 16-bit indices.
class CellTextures {
public:
    virtual ~CellTextures() = default;
    /// Valid until the frame has been shown.
    virtual ImTextureID texture(const plot::Cells& cells) = 0;
};

/// Where a drawing goes: pixels = at + scale · the drawing's.
struct Spot {
    ImVec2 at{0, 0};
    double scale = 1;
};

/// What a painter needs besides the drawing. Without `textures` all cells are rectangles.
struct Brush {
    ImDrawList& list;
    Fonts& fonts;
    CellTextures* textures = nullptr;
    bool ground = true;  // the drawing's ground is filled first
};

/// Also its ground, over the whole of its size. Shapes with a number that is not finite are left out, as in raster().
void paint(const plot::Drawing& drawing, const Spot& spot, const Brush& brush);

}  // namespace whorl::view
