#include "app/tables/grid.hpp"

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
    std::vector<std::size_t> widths(grid.lines.front().size(), 0);
    for (const auto& line : grid.lines)
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
    std::string text;
    for (const auto& cells : grid.lines) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::string filling = spaces(widths[i], cells[i]);
            line += (i > 0 ? "  " : "") + (i < grid.left ? cells[i] + filling : filling + cells[i]);
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string markdown_of(const Grid& grid) {
    std::string text;
    for (std::size_t i = 0; i < grid.lines.size(); ++i) {
        text += "|";
        for (const std::string& cell : grid.lines[i]) text += " " + cell + " |";
        text += "\n";
        if (i > 0) continue;
        text += "|";
        for (std::size_t c = 0; c < grid.lines[0].size(); ++c) text += c < grid.left ? "---|" : "---:|";
        text += "\n";
    }
    return text;
}

}  // namespace whorl
