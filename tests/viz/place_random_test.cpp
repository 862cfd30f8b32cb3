// Figures of random marks: whatever they hold, what is placed is finite and on the paper, and no label on another.
#include <cmath>
#include <random>

#include "tests/support/catch.hpp"
#include "tests/viz/drawing_probe.hpp"
#include "viz/plot/geometry.hpp"
#include "viz/plot/place.hpp"

using namespace whorl;
using namespace whorl::plot;
using namespace whorl::test;

namespace {

/// The same figures everywhere: distributions of the library differ between its makers.
class Dice {
public:
    explicit Dice(unsigned seed) : engine_(seed) {}
    int below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
    double share() { return below(100001) / 100000.0; }
    bool one_in(int n) { return below(n) == 0; }

private:
    std::mt19937 engine_;
};

struct Maker {
    Dice dice;
    double size = 1;  // of the data
    bool positive = false;
    int made = 0;

    double value() {
        const double x = size * (positive ? 0.01 + dice.share() : 2 * dice.share() - 1);
        return dice.one_in(9) ? 0.5 * size : x;
    }
    Point point() { return {value(), value()}; }
    std::vector<Point> points(int most, bool gaps) {
        std::vector<Point> found;
        for (int i = dice.below(most + 1); i > 0; --i) {
            found.push_back(point());
            if (gaps && dice.one_in(12)) found.back().y = kFitted;
        }
        return found;
    }
    Style style() { return {Role(dice.below(15)), Weight(dice.below(5)), dice.share(), Dash(dice.below(5))}; }
    std::string id() { return "m" + std::to_string(made++); }
    std::string label() {
        static const char* const kLabels[] = {"",
                                              "x",
                                              "hinge",
                                              "**1** second",
                                              "exponential trapezoid, slope 2.00",
                                              "B\u0304_{t} of the pair that keeps the answer to the end"};
        return kLabels[dice.below(6)];
    }
    Mark mark() {
        switch (dice.below(11)) {
            case 0:
                return Points{id(), points(5, true), style(), Shape(dice.below(7)), dice.one_in(2), label()};
            case 1:
                return Arrow{id(), point(), point(), style(), label()};
            case 2:
                return Arc{id(), point(), positive ? 0 : size * dice.share(), value(), 9 * value() / size, style(),
                           true, label()};
            case 3:
                return Region{id(), {point(), point(), point()}, style(), label()};
            case 4: {
                const double a = value(), b = value();
                return Band{id(), Direction(dice.below(2)), std::min(a, b), std::max(a, b), style(), label()};
            }
            case 5:
                return Rule{id(), Direction(dice.below(2)), value(), style(), label()};
            case 6:
                return Stems{id(), points(5, true), style(), value(), dice.one_in(2), label()};
            case 7:
                return Bars{id(),
                            {{value(), value(), value()}, {value(), value(), value()}},
                            style(),
                            0.3 * size,
                            Direction(dice.below(2)),
                            label()};
            case 8: {
                const double x = value(), y = value();
                return Grid{id(), {x, x + size, x + 2 * size}, {y + size, y}, {0.3, kFitted}, 0, 1, false, label()};
            }
            default:
                return Line{id(), points(20, true), style(), label()};
        }
    }
    Axis axis() {
        Axis made_axis;
        made_axis.label = label();
        made_axis.unit = dice.one_in(3) ? "°" : dice.one_in(3) ? "s" : "";
        made_axis.scale = positive && dice.one_in(2) ? Scale::log : Scale::linear;
        made_axis.shown = !dice.one_in(5);
        if (dice.one_in(5)) made_axis.low = 0.3 * size;
        if (dice.one_in(5)) made_axis.high = 0.6 * size;
        if (dice.one_in(6)) made_axis.ticks = {{0.4 * size, "π/2"}, {0.5 * size, "1,024"}};
        return made_axis;
    }
    Panel panel(int number) {
        size = std::pow(10.0, dice.below(13) - 6);
        positive = dice.one_in(3);
        Panel made_panel;
        made_panel.id = "p" + std::to_string(number);
        made_panel.title = label(), made_panel.subtitle = label();
        made_panel.row = number / 2, made_panel.column = number % 2;
        made_panel.canvas = !positive && dice.one_in(4);
        made_panel.equal = !positive && dice.one_in(4);
        made_panel.x = axis(), made_panel.y = axis();
        for (int i = dice.below(9); i > 0; --i) made_panel.marks.push_back(mark());
        return made_panel;
    }
    Figure figure() {
        Figure f;
        f.id = "random";
        f.claim = label(), f.subtitle = label(), f.source = label();
        f.width = 80 + dice.below(1500), f.height = 80 + dice.below(900);
        for (int i = dice.below(4); i >= 0; --i) f.panels.push_back(panel(i));
        return f;
    }
};

}  // namespace

TEST_CASE("random figures are placed on the paper", "[plot][place]") {
    for (unsigned seed = 0; seed < 400; ++seed) {
        const Figure figure = Maker{Dice(seed)}.figure();
        Placed placed;
        try {
            placed = place(figure, theme(theme_names()[seed % 3]));
        } catch (const std::exception& refused) {
            // Bars and bases that reach 0 on a log axis.
            CHECK_THAT(refused.what(), Catch::Matchers::ContainsSubstring("logarithmic"));
            continue;
        }
        const Box paper = rectangle({0, 0}, {placed.drawing.width, placed.drawing.height});
        for (const Item& item : placed.drawing.items)
            for (const Shape2d& shape : item.shapes) {
                const Box bounds = bounds_of(shape);
                CAPTURE(seed, item.id, shape.index(), bounds.low.x, bounds.low.y, bounds.high.x, bounds.high.y,
                        paper.high.x, paper.high.y);
                REQUIRE((finite(bounds.low) && finite(bounds.high)));
                REQUIRE(holds(grown(paper, 0.01), bounds));
            }
        for (std::size_t i = 0; i < placed.labels.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) {
                CAPTURE(seed, figure.width, placed.labels[i].id, placed.labels[j].id);
                CHECK_FALSE(overlap(grown(placed.labels[i].box, -0.01), placed.labels[j].box));
            }
    }
}
