#include "viz/plot/figure.hpp"

#include <functional>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/viz/sample_figures.hpp"

using namespace whorl;
using namespace whorl::plot;

namespace {

Figure with(Mark mark) {
    Figure figure;
    figure.id = "f";
    Panel panel;
    panel.id = "p";
    panel.marks = {std::move(mark)};
    figure.panels = {panel};
    return figure;
}

Figure changed(const std::function<void(Figure&)>& change) {
    Figure figure = with(Line{"line", {{1, 1}, {2, 2}}, {}});
    change(figure);
    return figure;
}

void refuses(const Figure& figure, const std::string& words) {
    CAPTURE(words);
    CHECK_THROWS_AS(check(figure), UserError);
    CHECK_THROWS_WITH(check(figure), Catch::Matchers::ContainsSubstring(words));
}

}  // namespace

TEST_CASE("the sample figures can be drawn", "[plot][figure]") {
    for (const Figure& figure : test::sample_figures()) CHECK_NOTHROW(check(figure));
}

TEST_CASE("figures that cannot be drawn are refused with the mark's name", "[plot][figure]") {
    const double nan = kFitted;
    refuses(changed([](Figure& f) { f.panels.clear(); }), "no panel");
    refuses(changed([](Figure& f) { f.id.clear(); }), "no id");
    refuses(changed([](Figure& f) { f.panels[0].id.clear(); }), "a panel has no id");
    refuses(changed([](Figure& f) { f.panels.push_back(f.panels[0]); }), "two panels");
    refuses(changed([](Figure& f) { f.panels[0].marks.push_back(f.panels[0].marks[0]); }), "'f.p.line'");
    refuses(changed([](Figure& f) { f.width = 3; }), "width and height");
    refuses(changed([](Figure& f) { f.row_shares = {1, 2}; }), "1 rows and 2 shares");
    refuses(changed([](Figure& f) { f.column_shares = {0}; }), "a share of a column");
    refuses(changed([](Figure& f) { f.panels[0].row = -1; }), "outside the grid");
    refuses(changed([](Figure& f) { f.panels[0].x.low = f.panels[0].x.high = 2; }), "x axis is empty");
    refuses(with(Line{"", {}, {}}), "no id");
    refuses(with(Line{"m", {}, {Role::ink, Weight::data, 2}}), "strength");
    refuses(with(Points{"m", {{0, 0}}, {}, Shape::disc, false, "", {1, 2}}), "one size a point");
    refuses(with(Arrow{"m", {0, nan}, {1, 1}, {}}), "not finite");
    refuses(with(Arc{"m", {0, 0}, -1, 0, 1, {}}), "radius");
    refuses(with(Region{"m", {{0, 0}, {1, 1}}, {}}), "three corners");
    refuses(with(Band{"m", Direction::x, 2, 1, {}}), "low end");
    refuses(with(Band{"m", Direction::x, nan, 1, {}}), "low end");
    refuses(with(Rule{"m", Direction::x, nan, {}}), "not finite");
    refuses(with(Bars{"m", {{0, 0, nan}}, {}}), "bar");
    refuses(with(Grid{"m", {0, 1}, {0, 1}, {1, 2}}), "one value a cell");
    refuses(with(Grid{"m", {0, 1, 0.5}, {0, 1}, {1, 2}}), "edges");
    refuses(with(Grid{"m", {0, 1}, {0, 1}, {1}, 1, 1}), "colour scale");
    refuses(with(Text{"m", {nan, 0}, "a", {}}), "not finite");
}

TEST_CASE("a log axis takes only what is above zero", "[plot][figure]") {
    const auto log = [](Mark mark) {
        Figure figure = with(std::move(mark));
        figure.panels[0].y.scale = Scale::log;
        return figure;
    };
    CHECK_NOTHROW(check(log(Line{"m", {{0, 1}, {1, kFitted}}, {}})));  // a gap is allowed
    refuses(log(Line{"m", {{0, 1}, {1, 0}}, {}}), "logarithmic y axis");
    refuses(log(Stems{"m", {{0, 1}}, {}}), "logarithmic");
    refuses(log(Rule{"m", Direction::y, -1, {}}), "logarithmic");
    CHECK_NOTHROW(check(log(Rule{"m", Direction::x, -1, {}})));
    refuses(log(Bars{"m", {{1, 0, 2}}, {}}), "logarithmic");
    Figure limits = log(Line{"m", {{1, 1}}, {}});
    limits.panels[0].y.low = 0;
    refuses(limits, "cannot reach 0");
}
