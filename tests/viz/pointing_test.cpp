// What the mouse means, without a window: numbers under it, and the states that presses and drags lead to.
#include "viz/desk/pointing.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/support/catch.hpp"
#include "viz/desk/desk.hpp"
#include "viz/state/controls.hpp"

using namespace whorl;
using namespace whorl::viz;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

struct Shown {
    plot::Figure figure;
    plot::Placed placed;

    plot::Point paper(const std::string& panel, plot::Point data) const {
        for (const plot::PlacedPanel& one : placed.panels)
            if (one.id == panel) return one.to_paper(data);
        throw std::out_of_range(panel);
    }
    const plot::Panel& panel(const std::string& id) const {
        for (const plot::Panel& one : figure.panels)
            if (one.id == id) return one;
        throw std::out_of_range(id);
    }
};

Shown shown(Desk& desk, const ViewState& state) {
    Shown result{desk.figure(state), {}};
    result.placed = plot::place(result.figure, plot::theme("light"));
    return result;
}

ViewState view_named(const char* name) {
    ViewState state;
    state.view = name;
    return state;
}

}  // namespace

TEST_CASE("the nearest mark tells its numbers", "[viz][pointing]") {
    Desk desk;
    const Shown error = shown(desk, view_named("error"));
    const plot::Panel& panel = error.figure.panels.at(0);
    for (const plot::Mark& mark : panel.marks) {
        const auto* line = std::get_if<plot::Line>(&mark);
        if (line == nullptr || line->points.size() < 5) continue;
        const plot::Point point = line->points[2];
        const plot::Point at = error.paper(panel.id, point);
        const auto hit = hit_at(error.figure, error.placed, {at.x + 1, at.y});
        REQUIRE(hit);
        CHECK(std::hypot(hit->paper.x - at.x, hit->paper.y - at.y) < 3);  // itself, or another line's that lies there
        return;
    }
    FAIL("no line");
}

TEST_CASE("nothing near says nothing and a grid's cell its value", "[viz][pointing]") {
    Desk desk;
    const Shown error = shown(desk, view_named("error"));
    CHECK_FALSE(hit_at(error.figure, error.placed, {-50, -50}));
    const Shown map = shown(desk, view_named("map"));
    for (const plot::Panel& panel : map.figure.panels)
        for (const plot::Mark& mark : panel.marks) {
            const auto* grid = std::get_if<plot::Grid>(&mark);
            if (grid == nullptr) continue;
            const plot::Point middle{(grid->x_edges[3] + grid->x_edges[4]) / 2,
                                     (grid->y_edges[2] + grid->y_edges[3]) / 2};
            const auto hit = hit_at(map.figure, map.placed, map.paper(panel.id, middle), 0.5);
            REQUIRE(hit);
            const double value = grid->values[2 * (grid->x_edges.size() - 1) + 3];
            const std::string text = hit->text.substr(hit->text.rfind(": ") + 2);
            CHECK(std::stod(text) == Approx(value).epsilon(1e-3));
            return;
        }
    FAIL("no grid");
}

TEST_CASE("a press sets what its place stands for", "[viz][pointing]") {
    Desk desk;
    const ViewState ledger = view_named("ledger"), error = view_named("error"), dials = view_named("dials");
    const Shown drift = shown(desk, ledger);
    const auto moved = pointed(ledger, drift.figure, drift.placed, drift.paper("drift", {77.2, 10}), 160);
    REQUIRE(moved);
    CHECK(moved->cursor == 77);
    CHECK(pointed(ledger, drift.figure, drift.placed, drift.paper("drift", {77.2, 10}), 160, false));

    const Shown curves = shown(desk, error);
    const auto step =
        pointed(error, curves.figure, curves.placed, curves.paper(curves.figure.panels[0].id, {0.5, 1e-3}), 0);
    REQUIRE(step);
    CHECK(value_of(*step, "dt") == Approx(0.5 / std::hypot(0.35, 2.0)));

    const Shown dial = shown(desk, dials);
    const auto token = pointed(dials, dial.figure, dial.placed, dial.paper("tape", {4, 0}), 16);
    REQUIRE(token);
    CHECK(token->cursor == 5);
    CHECK_FALSE(pointed(dials, dial.figure, dial.placed, dial.paper("tape", {4, 0}), 16, false));  // it moves away
    const plot::Panel& other = dial.panel("other.2");
    const auto pair =
        pointed(dials, dial.figure, dial.placed,
                dial.paper("other.2", {(other.x.low + other.x.high) / 2, (other.y.low + other.y.high) / 2}), 16);
    REQUIRE(pair);
    const std::string title = other.title.empty() ? other.subtitle : other.title;
    CHECK_THAT(title, StartsWith("pair " + std::to_string(static_cast<int>(value_of(*pair, "pair"))) + ":"));
    CHECK_THAT(desk.figure(*pair).subtitle,
               ContainsSubstring("pair " + std::to_string(static_cast<int>(value_of(*pair, "pair"))) + " of"));
    CHECK_FALSE(pointed(dials, dial.figure, dial.placed, {-5, -5}, 16));
}

TEST_CASE("a handle is taken hold of and dragged where the mouse goes", "[viz][pointing]") {
    Desk desk;
    const ViewState number = read_link("whorl:1?view=sandbox&preset=number&text=10").state;
    const Shown dial = shown(desk, number);
    const plot::Point tip = dial.paper("dial", {0, -1});
    const auto grip = grip_at(dial.figure, dial.placed, {tip.x + 3, tip.y});
    REQUIRE(grip);
    CHECK(grip->handle == "turn0");
    CHECK(std::hypot(grip->paper.x - tip.x, grip->paper.y - tip.y) < 1e-6);
    CHECK_FALSE(grip_at(dial.figure, dial.placed, {tip.x + 30, tip.y}));
    const ViewState half = with_handle_at(number, dial.figure, dial.placed, "turn0", dial.paper("dial", {-1, 0}));
    CHECK(value_of(half, "turn0") == 180);
    CHECK(with_handle_at(number, dial.figure, dial.placed, "hinge", tip) == number);

    // The end of a bar of the ledger: as many degrees as it moves, shared by all tokens of its kind.
    const ViewState ledger = view_named("ledger");
    const Shown split = shown(desk, ledger);
    plot::Point end;
    double count = 0;
    for (const plot::Mark& mark : split.panel("split.0").marks)
        if (const auto* handle = std::get_if<plot::Handle>(&mark); handle && handle->id == "more0")
            end = handle->at, count = handle->pace;
    REQUIRE(count > 10);
    const ViewState less =
        with_handle_at(ledger, split.figure, split.placed, "more0", split.paper("split.0", {end.x - 50, end.y}));
    CHECK(value_of(less, "more0") == Approx(-50 / count).margin(0.005));
    const Shown after = shown(desk, less);
    for (const plot::Mark& mark : after.panel("split.0").marks)
        if (const auto* handle = std::get_if<plot::Handle>(&mark); handle && handle->id == "more0")
            CHECK(handle->at.x == Approx(end.x - 50).margin(0.005 * count + 1e-9));
}

TEST_CASE("a cell of the needle map opens its text", "[viz][pointing]") {
    Desk desk;
    const ViewState state = view_named("needle-map");
    const Shown map = shown(desk, state);
    const plot::Panel& panel = map.figure.panels.at(0);
    const plot::Tick length = panel.x.ticks.at(2), depth = panel.y.ticks.at(1);
    const auto opened =
        pointed(state, map.figure, map.placed, map.paper(panel.id, {length.at + 0.3, depth.at - 0.3}), 0);
    REQUIRE(opened);
    CHECK(opened->view == "needle");
    CHECK(std::to_string(static_cast<int>(value_of(*opened, "length"))) == length.text);
    CHECK(std::to_string(static_cast<int>(std::lround(100 * value_of(*opened, "depth")))) + " %" == depth.text);
    CHECK(static_cast<double>(desk.text(*opened).tokens.size()) < value_of(*opened, "length"));
}

TEST_CASE("the needle stands where its control says", "[viz][pointing]") {
    Desk desk;
    const auto place = [&](double depth, bool swap) {
        ViewState state = with_value(with_value(view_named("needle"), "depth", depth), "length", 400);
        const ReadText text = desk.text(with_value(state, "swap", swap ? 1 : 0));
        const auto key = std::find(text.tokens.begin(), text.tokens.end(), "KEY");
        REQUIRE(key != text.tokens.end());
        return std::pair{static_cast<double>(key - text.tokens.begin()) / static_cast<double>(text.tokens.size()),
                         *(key + 2)};
    };
    CHECK(place(0, false).first == 0);
    CHECK(place(0.5, false).first == Approx(0.5).margin(0.02));
    CHECK(place(1, false).first > 0.98);
    CHECK(place(0.5, true).first == place(0.5, false).first);
    CHECK(place(0.5, true).second != place(0.5, false).second);
}
