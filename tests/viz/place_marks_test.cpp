// Single marks on a panel: what is cut off, turned round, left out.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/viz/drawing_probe.hpp"
#include "tests/viz/sample_figures.hpp"
#include "viz/plot/geometry.hpp"
#include "viz/plot/place.hpp"

using namespace whorl;
using namespace whorl::plot;
using namespace whorl::test;

namespace {

const Item& item_of(const Placed& placed, const std::string& id) {
    return *std::find_if(placed.drawing.items.begin(), placed.drawing.items.end(),
                         [&](const Item& item) { return item.id == id; });
}

Figure one_panel(std::vector<Mark> marks) {
    Figure figure;
    figure.id = "f";
    Panel panel;
    panel.id = "p";
    panel.marks = std::move(marks);
    figure.panels = {panel};
    return figure;
}

}  // namespace

TEST_CASE("limits that are given are kept and others leave room", "[plot][place]") {
    Figure figure = one_panel({Line{"line", {{0, 2}, {10, 8}}, {}}});
    figure.panels[0].y.low = 1;
    const PlacedPanel panel = place(figure, theme("light")).panels[0];
    CHECK(panel.y.low == 1);
    CHECK(panel.y.high > 8);
    CHECK(panel.y.high < 9);
    CHECK(panel.x.low == 0);  // a line goes from edge to edge
    CHECK(panel.x.high == 10);
}

TEST_CASE("what lies outside the limits is cut off", "[plot][place]") {
    Figure figure =
        one_panel({Line{"line", {{-100, -100}, {100, 100}}, {}}, Points{"points", {{0.5, 0.5}, {50, 50}}, {}},
                   Region{"region", {{-9, -9}, {9, -9}, {0, 9}}, {}}, Bars{"bars", {{0.5, 0, 70}}, {}},
                   Arrow{"arrow", {0.5, 0.5}, {90, 3}, {}}, Arc{"arc", {0, 0}, 0.9, 0, 7, {}}});
    for (Axis* axis : {&figure.panels[0].x, &figure.panels[0].y}) axis->low = 0, axis->high = 1;
    const Placed placed = place(figure, theme("light"));
    for (const char* const id : {"p.line", "p.points", "p.region", "p.bars", "p.arrow", "p.arc"}) {
        CAPTURE(id);
        const Item& item = item_of(placed, id);
        REQUIRE_FALSE(item.shapes.empty());
        for (const Shape2d& shape : item.shapes) CHECK(holds(grown(placed.panels[0].frame, 5), bounds_of(shape)));
    }
    CHECK(item_of(placed, "p.points").shapes.size() == 1);
    const auto& line = std::get<Path>(item_of(placed, "p.line").shapes[0]);
    const Point first = placed.panels[0].to_data(line.points.front());
    CHECK(first.x == Approx(0).margin(1e-9));
    CHECK(first.y == Approx(0).margin(1e-9));
}

TEST_CASE("a point that is not finite breaks a line", "[plot][place]") {
    const Figure figure = one_panel({Line{"line", {{0, 0}, {1, 1}, {2, kFitted}, {3, 1}, {4, 0}}, {}}});
    CHECK(item_of(place(figure, theme("light")), "p.line").shapes.size() == 2);
}

TEST_CASE("an axis may go down", "[plot][place]") {
    Figure figure = one_panel({Points{"points", {{0, 0}, {1, 1}}, {}}});
    figure.panels[0].y.low = 1, figure.panels[0].y.high = 0;
    const PlacedPanel panel = place(figure, theme("light")).panels[0];
    CHECK(panel.to_paper({0, 1}).y > panel.to_paper({0, 0}).y);
}

TEST_CASE("rows of a map count from where its edges begin", "[plot][place]") {
    Grid grid;
    grid.id = "grid";
    grid.x_edges = {0, 1, 2};
    grid.y_edges = {0, 1, 2};
    grid.values = {0, 0, 1, 1};  // the second row, above the first, is full
    const Placed up = place(one_panel({grid}), theme("light"));
    CHECK(std::get<Cells>(item_of(up, "p.grid").shapes[0]).colors[0] == viridis(1));
    Figure figure = one_panel({grid});
    figure.panels[0].y.low = 2, figure.panels[0].y.high = 0;
    CHECK(std::get<Cells>(item_of(place(figure, theme("light")), "p.grid").shapes[0]).colors[0] == viridis(0));
}

TEST_CASE("numbers stand in the cells of a map", "[plot][place]") {
    const Placed placed = place(heat_maps(), theme("light"));
    const Item& item = item_of(placed, "cells.found");
    std::vector<std::string> numbers;
    for (const Shape2d& shape : item.shapes)
        if (const auto* run = std::get_if<Run>(&shape)) numbers.push_back(run->text);
    REQUIRE(numbers.size() == 35);
    CHECK(numbers[0] == "1");
    CHECK(numbers[6] == "0.10");
}

TEST_CASE("paper grows where panels need it", "[plot][place]") {
    Figure figure = stems_and_bars();
    figure.height = 120;
    const Placed placed = place(figure, theme("light"));
    CHECK(placed.drawing.height > 400);
    for (const PlacedPanel& panel : placed.panels) CHECK(height_of(panel.frame) >= 70);
    CHECK(place(one_panel({}), theme("light")).drawing.height == 540);
}

TEST_CASE("figures of almost nothing can be placed", "[plot][place]") {
    const std::vector<Mark> marks{Line{"a", {}, {}, "none"},
                                  Points{"b", {}, {}, Shape::disc, false, "none"},
                                  Arrow{"c", {1, 1}, {1, 1}, {}, "nowhere"},
                                  Arc{"d", {1, 1}, 0, 0, 0, {}, true, "no turn"},
                                  Stems{"e", {{1, kFitted}}, {}, 0, false, "none"},
                                  Bars{"f", {}, {}, 0.8, Direction::y, "none"},
                                  Text{"g", {1, 1}, "", {}}};
    const Placed placed = place(one_panel(marks), theme("dark"));
    for (const Item& item : placed.drawing.items)
        for (const Shape2d& shape : item.shapes) CHECK(finite(bounds_of(shape).low));
    CHECK_NOTHROW(place(one_panel({}), theme("dark")));
}

TEST_CASE("words and titles reach the drawing without marks", "[plot][place]") {
    const Placed placed = place(close_ends(), theme("light"));
    CHECK(placed.drawing.title == close_ends().claim);
    CHECK(placed.drawing.description == "Eight pairs drift apart. The margin reaches zero at bit 87.");
    CHECK(item_of(placed, "drift.pair0").tip == "pair 0");
}
