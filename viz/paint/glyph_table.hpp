// Outlines in the form of a font file's `glyf` table.
#pragma once

#include <algorithm>
#include <string>

#include "viz/plot/font.hpp"

namespace whorl::plot {

inline constexpr int kUnitsPerEm = 2048;

/// In font units; empty while low > high.
struct GlyphBox {
    int low_x = 32767, low_y = 32767, high_x = -32767, high_y = -32767;

    bool empty() const { return low_x > high_x; }
    void add(int x, int y) {
        low_x = std::min(low_x, x), low_y = std::min(low_y, y);
        high_x = std::max(high_x, x), high_y = std::max(high_y, y);
    }
};

struct StoredOutline {
    std::string bytes;  // empty for a glyph without contours
    GlyphBox box;
    int advance = 0;
    int points = 0, contours = 0;
};

StoredOutline stored_outline(const Glyph& glyph);

}  // namespace whorl::plot
