// The signed difference of two figures, read off the points.
#include "viz/desk/difference.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "viz/desk/desk.hpp"
#include "viz/state/controls.hpp"

using namespace whorl;
using namespace whorl::viz;
using plot::Figure;
using plot::Line;

namespace {

Figure of_line(const std::string& panel, std::vector<plot::Point> points) {
    Figure figure;
    figure.id = "one";
    figure.claim = "One";
    plot::Panel one;
    one.id = panel;
    one.marks.push_back(Line{"line", std::move(points), {}});
    figure.panels.push_back(one);
    return figure;
}

}  // namespace

TEST_CASE("lines are subtracted at the first one's places", "[viz][difference]") {
    const Figure less =
        difference_figure(of_line("p", {{0, 1}, {1, 5}, {2, 2}, {9, 9}}), of_line("p", {{0, 0}, {4, 2}}));
    const auto& marks = less.panels.at(0).marks;
    const auto at =
        std::find_if(marks.begin(), marks.end(), [](const plot::Mark& m) { return plot::id_of(m) == "line"; });
    REQUIRE(at != marks.end());
    const auto& line = std::get<Line>(*at);
    REQUIRE(line.points.size() == 4);
    CHECK(line.points[0].y == Approx(1));
    CHECK(line.points[1].y == Approx(4.5));  // B is 0.5 there, between its own points
    CHECK(line.points[2].y == Approx(1));
    CHECK(std::isnan(line.points[3].y));  // B does not reach so far
    CHECK(less.claim == "A less B is +4.5 at most, at 1");
    CHECK(difference_figure(of_line("p", {{0, 1}, {1, 2}}), of_line("p", {{0, 1}, {1, 2}})).claim ==
          "A and B are the same");
}

TEST_CASE("areas lie between the difference and zero, a colour a sign", "[viz][difference]") {
    const Figure less = difference_figure(of_line("p", {{0, 2}, {2, -2}, {3, -1}}), of_line("p", {{0, 0}, {9, 0}}));
    std::vector<plot::Region> areas;
    for (const plot::Mark& mark : less.panels.at(0).marks)
        if (const auto* area = std::get_if<plot::Region>(&mark)) areas.push_back(*area);
    REQUIRE(areas.size() == 2);
    CHECK(areas[0].style.role != areas[1].style.role);
    double sums[2] = {0, 0};  // twice the areas, signed (shoelace)
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t k = 0; k < areas[i].outline.size(); ++k) {
            const plot::Point a = areas[i].outline[k], b = areas[i].outline[(k + 1) % areas[i].outline.size()];
            sums[i] += a.x * b.y - b.x * a.y;
        }
    CHECK(std::abs(sums[0]) == Approx(2));      // a triangle of base 1 and height 2
    CHECK(std::abs(sums[1]) == Approx(2 + 3));  // base 1, height 2; then from 2 to 1 over 1
}

TEST_CASE("figures without a line in common have no difference", "[viz][difference]") {
    CHECK_THROWS_AS(difference_figure(of_line("p", {{0, 1}, {1, 2}}), of_line("q", {{0, 1}, {1, 2}})), UserError);
}

TEST_CASE("a state's difference is the same for links and windows", "[viz][difference][desk]") {
    ViewState a, b;
    a.view = b.view = "ledger";
    a.models = b.models = {"parity-mamba3-smoothed"};
    b = with_value(b, "silenced", 1);
    a.beside = key_of(b);
    a.difference = true;
    Desk desk;
    const Figure less = desk.figure(read_link(link_of(a)).state);
    CHECK(less.id == "ledger-difference");
    ViewState own = a;
    own.difference = false;
    const Figure left = desk.figure(own), right = desk.figure(b);
    CHECK(difference_figure(left, right).claim == less.claim);
    b.models = {"parity-mamba3-plain"};
    a.beside = key_of(b);  // pair 2 of one model is none of another's
    const Figure two = desk.figure(a);
    REQUIRE(two.panels.size() == 1);
    CHECK(two.panels[0].id == "margin");
    a.beside = "whorl:1?cursor=ten";  // is read where the link is
    CHECK_THROWS_AS(read_link(link_of(a)), UserError);
}
