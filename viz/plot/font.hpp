// The letters of figures: DejaVu Sans, regular and bold, as outlines and widths made at build time (make_glyphs.cpp).
//
// Lengths are in ems: 1 is the font's size. y grows upwards from the baseline.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace whorl::plot {

enum class Face { regular, bold };

/// A contour's point; `on` false: the control point of a quadratic curve, as in TrueType.
struct OutlinePoint {
    float x = 0, y = 0;
    bool on = true;
};

struct Glyph {
    float advance = 0;
    std::vector<std::vector<OutlinePoint>> contours{};
};

/// The letter's glyph, or that of U+FFFD where the fonts hold none. Valid for the program's life.
const Glyph& glyph(Face face, char32_t letter);
bool has_glyph(Face face, char32_t letter);

/// Height of capitals, of x, and what hangs below the baseline (negative).
struct FontHeights {
    double capital = 0.73, small = 0.55, descent = -0.24, ascent = 0.93;
};
const FontHeights& font_heights(Face face);

/// Advance of a UTF-8 text, without kerning.
double text_width(std::string_view text, Face face);

/// The letters of a UTF-8 text; what is not UTF-8 becomes U+FFFD.
std::vector<char32_t> letters_of(std::string_view utf8);

}  // namespace whorl::plot
