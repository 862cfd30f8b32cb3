#include "viz/paint/cell_boxes.hpp"

#include <algorithm>

namespace whorl::plot {
namespace {

bool all_opaque(const std::vector<Color>& colors) {
    return std::all_of(colors.begin(), colors.end(), [](const Color& color) { return color.opacity >= 1; });
}

/// Where line `index` of `count` + 1 stands.
double line_at(double low, double high, std::int64_t index, std::int64_t count) {
    return low + (high - low) * static_cast<double>(index) / static_cast<double>(count);
}

/// How far a cell reaches under the next: enough for its smoothed edge, and not to the far edge.
double reach(double low, double high, std::int64_t count) {
    const double size = (high - low) / static_cast<double>(count);
    return std::clamp(size / 2, -1.0, 1.0);
}

}  // namespace

std::vector<Box> boxes_of(const Cells& cells) {
    std::vector<Box> boxes;
    const std::int64_t rows = cells.rows, columns = cells.columns;
    const auto x = [&](std::int64_t column) { return line_at(cells.low.x, cells.high.x, column, columns); };
    const auto y = [&](std::int64_t row) { return line_at(cells.low.y, cells.high.y, row, rows); };
    const bool reaching = all_opaque(cells.colors);
    const double right = reaching ? reach(cells.low.x, cells.high.x, columns) : 0;
    const double down = reaching ? reach(cells.low.y, cells.high.y, rows) : 0;
    for (std::int64_t row = 0; row < rows; ++row) {
        const Color* colors = &cells.colors[static_cast<std::size_t>(row * columns)];
        for (std::int64_t begin = 0, end = 0; begin < columns; begin = end) {
            while (end < columns && colors[end] == colors[begin]) ++end;
            boxes.push_back({{x(begin), y(row)},
                             {x(end) + (end < columns ? right : 0), y(row + 1) + (row + 1 < rows ? down : 0)},
                             colors[begin]});
        }
    }
    return boxes;
}

}  // namespace whorl::plot
