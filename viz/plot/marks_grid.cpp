// Grids of values in viridis, with their numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "viz/plot/stage.hpp"
#include "viz/plot/ticks.hpp"

namespace whorl::plot {

namespace {

struct CellGrid {
    const Stage& stage;
    const Grid& mark;
    std::size_t rows() const { return mark.y_edges.size() - 1; }
    std::size_t columns() const { return mark.x_edges.size() - 1; }
    double value(std::size_t row, std::size_t column) const { return mark.values[row * columns() + column]; }
    Color color(std::size_t row, std::size_t column) const {
        const double v = value(row, column);
        return std::isfinite(v) ? viridis((v - mark.low) / (mark.high - mark.low)) : stage.theme.grid;
    }
    Box box(std::size_t row, std::size_t column) const {
        const Point a = stage.paper({mark.x_edges[column], mark.y_edges[row]});
        const Point b = stage.paper({mark.x_edges[column + 1], mark.y_edges[row + 1]});
        return rectangle({std::min(a.x, b.x), std::min(a.y, b.y)}, {std::max(a.x, b.x), std::max(a.y, b.y)});
    }
    Box all() const {
        const Box a = box(0, 0), b = box(rows() - 1, columns() - 1);
        return rectangle({std::min(a.low.x, b.low.x), std::min(a.low.y, b.low.y)},
                         {std::max(a.high.x, b.high.x), std::max(a.high.y, b.high.y)});
    }
};

/// Whether all cells have one size on paper, and lie in the frame: then one picture holds them.
bool even(const CellGrid& grid) {
    const Box first = grid.box(0, 0);
    const auto same = [&](const Box& box) {
        return std::abs(width_of(box) - width_of(first)) < 0.01 && std::abs(height_of(box) - height_of(first)) < 0.01;
    };
    for (std::size_t row = 0; row < grid.rows(); ++row)
        if (!same(grid.box(row, 0))) return false;
    for (std::size_t column = 0; column < grid.columns(); ++column)
        if (!same(grid.box(0, column))) return false;
    return holds(grown(grid.stage.frame(), 0.5), grid.all());
}

Cells one_picture(const CellGrid& grid) {
    Cells cells;
    cells.low = grid.all().low;
    cells.high = grid.all().high;
    cells.rows = static_cast<std::int64_t>(grid.rows());
    cells.columns = static_cast<std::int64_t>(grid.columns());
    // Rows count from the top and columns from the left of the paper, whichever way the edges go.
    const bool down = grid.box(0, 0).low.y <= grid.box(grid.rows() - 1, 0).low.y;
    const bool right = grid.box(0, 0).low.x <= grid.box(0, grid.columns() - 1).low.x;
    for (std::size_t i = 0; i < grid.rows(); ++i)
        for (std::size_t j = 0; j < grid.columns(); ++j)
            cells.colors.push_back(grid.color(down ? i : grid.rows() - 1 - i, right ? j : grid.columns() - 1 - j));
    return cells;
}

void add_box(const CellGrid& grid, std::size_t row, std::size_t column, double gap, Item& item) {
    const Box& frame = grid.stage.frame();
    Box box = grown(grid.box(row, column), -gap);
    box.low = {std::max(box.low.x, frame.low.x), std::max(box.low.y, frame.low.y)};
    box.high = {std::min(box.high.x, frame.high.x), std::min(box.high.y, frame.high.y)};
    if (box.low.x >= box.high.x || box.low.y >= box.high.y) return;
    box.fill = grid.color(row, column);
    item.shapes.emplace_back(box);
}

Color readable_on(const Color& ground) {
    const Color ink{0x11, 0x14, 0x18, 1}, white{0xFF, 0xFF, 0xFF, 1};
    return contrast(ink, ground) >= contrast(white, ground) ? ink : white;
}

/// Shares with two digits, but 0 and 1 as such.
std::string cell_text(double value) {
    const double hundredths = std::round(value * 100);
    if (!(std::abs(hundredths) < 1000) || std::fmod(hundredths, 100) == 0) return number_text(hundredths / 100, 3);
    return (hundredths < 0 ? "−" : "") + fmt::format("{:.2f}", std::abs(hundredths) / 100);
}

/// The number in the middle of its cell, smaller where it needs be; none where it would not be readable.
void add_number(CellGrid grid, std::size_t row, std::size_t column, Item& item, Placed& out) {
    const double value = grid.value(row, column);
    const Box cell = grid.box(row, column);
    const std::string words = cell_text(value);
    const double size = grid.stage.theme.text;
    TextBlock block = lay_out(words, {size, Face::regular, readable_on(grid.color(row, column))});
    const double shrink = std::min((width_of(cell) - 6) / block.width, (height_of(cell) - 3) / block.height);
    if (shrink < 0.7 || !holds(grown(grid.stage.frame(), 0.5), middle_of(cell))) return;
    if (shrink < 1) block = lay_out(words, {size * shrink, Face::regular, readable_on(grid.color(row, column))});
    const Point middle = middle_of(cell), at{middle.x - block.width / 2, middle.y - block.height / 2};
    put(block, at, item.shapes);
    out.labels.push_back({grid.stage.id(grid.mark.id) + "." + std::to_string(row * grid.columns() + column),
                          rectangle(at, {at.x + block.width, at.y + block.height})});
}

}  // namespace

void draw(Stage& stage, const Grid& mark, bool) {
    const CellGrid grid{stage, mark};
    Item item;
    item.id = stage.id(mark.id);
    item.tip = plain_text(mark.label);
    if (!mark.numbers && even(grid)) {
        item.shapes.emplace_back(one_picture(grid));
    } else {
        const double gap = mark.numbers ? 1.25 : 0;
        for (std::size_t row = 0; row < grid.rows(); ++row)
            for (std::size_t column = 0; column < grid.columns(); ++column) add_box(grid, row, column, gap, item);
    }
    if (mark.numbers)
        for (std::size_t row = 0; row < grid.rows(); ++row)
            for (std::size_t column = 0; column < grid.columns(); ++column)
                add_number(grid, row, column, item, stage.out);
    stage.out.drawing.items.push_back(std::move(item));
}

}  // namespace whorl::plot
