// A text with marks of its own, as runs of letters on paper.
//
//   _{t}       below the line, smaller        B̄ (a letter, U+0304)   a bar over the letter, drawn as a path
//   ^{-2}      above it, smaller              **bold**               bold
//
// Braces are needed: "a_b" is five letters. \n begins a new line; lines longer than the given width are broken at
// spaces, and inside a word where one alone is longer.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "viz/plot/drawing.hpp"

namespace whorl::plot {

struct TextStyle {
    double size = 13;
    Face face = Face::regular;
    Color color;
};

/// Lines of text; (0, 0) is the upper left corner of the block, `size` its lower right.
struct TextBlock {
    std::vector<Run> runs;
    std::vector<Path> bars;
    double width = 0, height = 0;
    int lines = 0;
};

/// Height of a line of that type size, in pixels.
double line_height(double size);

TextBlock lay_out(const std::string& text, const TextStyle& style,
                  double width = std::numeric_limits<double>::infinity(), Anchor anchor = Anchor::left);

/// Appends the block's shapes with its upper left corner at `at`.
void put(const TextBlock& block, Point at, std::vector<Shape2d>& to);

/// A text from elsewhere, whose letters are no marks, whatever they are.
std::string literal(const std::string& text);

/// The text without its marks, for descriptions and tips: "10^−2", "B̄", "bold".
std::string plain_text(const std::string& text);

}  // namespace whorl::plot
