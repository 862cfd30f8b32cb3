// A TrueType font of a few letters, for documents that bring their own.
#pragma once

#include <string>
#include <vector>

#include "viz/plot/font.hpp"

namespace whorl::plot {

/// The font's bytes: `letters` (rising, no two equal, each of the basic plane) as the face has them, and U+FFFD as the
/// glyph of all others. `family` is its name. Lengths are 1/2048 em, exactly those of glyph().
/// Layout: https://learn.microsoft.com/typography/opentype/spec/otff.
std::string font_file(Face face, const std::vector<char32_t>& letters, const std::string& family);

}  // namespace whorl::plot
