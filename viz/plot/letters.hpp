// The letters of a text with marks (text_runs.hpp), each with how it is set.
#pragma once

#include <string>
#include <vector>

namespace whorl::plot {

inline constexpr char32_t kNoMark = 0x200B;  // U+200B: has no width, and parts what would be a mark
inline constexpr char32_t kBar = 0x304;      // U+0304, over the letter before it

enum class Height { line, below, above };

struct Letter {
    char32_t code = 0;
    bool bold = false, bar = false;
    Height height = Height::line;
};

/// `bold`: how the text begins.
std::vector<Letter> read_letters(const std::string& text, bool bold);

void append_utf8(char32_t code, std::string& to);

}  // namespace whorl::plot
