#include "experiments/reproduce/grid_text.hpp"

#include <algorithm>

namespace whorl {
namespace {

// What a terminal shows of UTF-8: bytes that continue a character take no place.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string spaces(std::size_t wanted, const std::string& text) {
    return std::string(wanted - width_of(text), ' ');
}

}  // namespace

std::string text_of(const Grid& grid) {
    std::vector<std::size_t> widths(grid.front().size(), 0);
    for (const auto& line : grid)
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
    std::string text;
    for (const auto& line : grid) {
        text += line[0] + spaces(widths[0], line[0]);
        for (std::size_t i = 1; i < line.size(); ++i) text += "  " + spaces(widths[i], line[i]) + line[i];
        text += "\n";
    }
    return text;
}

std::string markdown_of(const Grid& grid) {
    std::string text;
    for (std::size_t i = 0; i < grid.size(); ++i) {
        text += "|";
        for (const std::string& cell : grid[i]) text += " " + cell + " |";
        text += "\n";
        if (i > 0) continue;
        for (std::size_t c = 0; c < grid[0].size(); ++c) text += c == 0 ? "|---|" : "---:|";
        text += "\n";
    }
    return text;
}

}  // namespace whorl
