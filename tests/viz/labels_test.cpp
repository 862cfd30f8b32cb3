#include "viz/plot/labels.hpp"

#include <algorithm>
#include <cmath>

#include "tests/support/catch.hpp"
#include "viz/plot/geometry.hpp"

using namespace whorl::plot;

namespace {

double moved(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

}  // namespace

TEST_CASE("boxes of a column that are apart stay where they are", "[plot][labels]") {
    const std::vector<double> wanted{10, 40, 90};
    CHECK(apart_in_column(wanted, {20, 20, 20}, 0, 100) == wanted);
    CHECK(apart_in_column({}, {}, 0, 1).empty());
}

TEST_CASE("boxes of a column move as little as they can", "[plot][labels]") {
    const std::vector<double> two = apart_in_column({50, 50}, {20, 20}, 0, 100);
    CHECK(two == std::vector<double>{40, 60});
    CHECK(apart_in_column({2, 50}, {20, 20}, 0, 100)[0] == 10);   // the upper end
    CHECK(apart_in_column({50, 99}, {20, 20}, 0, 100)[1] == 90);  // the lower end
    // No move of one of them betters three that press on each other.
    const std::vector<double> wanted{30, 34, 41, 80}, heights{12, 16, 12, 12};
    const std::vector<double> best = apart_in_column(wanted, heights, 0, 100);
    const auto valid = [&](const std::vector<double>& middles) {
        for (std::size_t i = 1; i < middles.size(); ++i)
            if (middles[i] - middles[i - 1] < (heights[i] + heights[i - 1]) / 2 - 1e-9) return false;
        return true;
    };
    REQUIRE(valid(best));
    for (int a = -8; a <= 8; ++a)
        for (int b = -8; b <= 8; ++b)
            for (int c = -8; c <= 8; ++c) {
                const std::vector<double> other{best[0] + a * 0.5, best[1] + b * 0.5, best[2] + c * 0.5, best[3]};
                if (valid(other)) CHECK(moved(other, wanted) >= moved(best, wanted) - 1e-9);
            }
}

TEST_CASE("ink is found where it was put", "[plot][labels]") {
    Ink ink(200, 100);
    ink.add_line({{10, 50}, {190, 50}});
    CHECK(ink.share(rectangle({20, 10}, {60, 40})) == 0);
    CHECK(ink.share(rectangle({20, 45}, {60, 55})) > 0.2);
    ink.add_box(rectangle({100, 0}, {140, 40}));
    CHECK(ink.share(rectangle({104, 4}, {135, 35})) == 1);
    CHECK(ink.share(rectangle({-50, -50}, {-10, -10})) == 0);  // off the paper
    ink.add_line({{-500, 20}, {900, 20}});
    CHECK(ink.share(rectangle({0, 18}, {200, 22})) > 0.4);
}

TEST_CASE("a label avoids ink and others and tells where it belongs", "[plot][labels]") {
    const TextBlock block = lay_out("hinge", {13, Face::regular, {}});
    Ink ink(200, 200);
    ink.add_box(rectangle({104, 80}, {200, 120}));  // to the right of the point
    LabelWish wish;
    wish.id = "one";
    wish.block = block;
    wish.spots = spots_around({100, 100}, 5, block, {{1, 0}, {-1, 0}});
    wish.room = rectangle({0, 0}, {200, 200});
    LabelWish second = wish;
    second.id = "two";
    Placed placed;
    place_wishes({wish, second}, ink, placed);
    REQUIRE(placed.labels.size() == 2);
    CHECK(placed.labels[0].box.high.x <= 95.01);
    CHECK_FALSE(overlap(placed.labels[0].box, placed.labels[1].box));
    for (const PlacedLabel& label : placed.labels) CHECK(ink.share(grown(label.box, -3)) == 0);
    CHECK(placed.left_out.empty());
}

TEST_CASE("a label without room is left out by name", "[plot][labels]") {
    LabelWish wish;
    wish.id = "one";
    wish.block = lay_out("a long label", {13, Face::regular, {}});
    wish.spots = spots_around({10, 10}, 5, wish.block, {});
    wish.room = rectangle({0, 0}, {30, 30});
    Placed placed;
    place_wishes({wish}, Ink(100, 100), placed);
    CHECK(placed.labels.empty());
    CHECK(placed.left_out == std::vector<std::string>{"one"});
}

TEST_CASE("lines are cut at a box and polygons too", "[plot][geometry]") {
    const Box box = rectangle({0, 0}, {10, 10});
    const auto pieces = clipped_line({{-5, 5}, {15, 5}, {15, 8}, {-5, 8}}, box);
    REQUIRE(pieces.size() == 2);
    CHECK(pieces[0][0].x == 0);
    CHECK(pieces[0][1].x == 10);
    CHECK(clipped_line({{-5, -5}, {-1, 20}}, box).empty());
    const std::vector<Point> corner = clipped_polygon({{5, 5}, {15, 5}, {15, 15}, {5, 15}}, box);
    REQUIRE(corner.size() == 4);
    for (const Point& p : corner) CHECK(holds(box, p));
    CHECK(clipped_polygon({{20, 20}, {30, 20}, {25, 30}}, box).empty());
}
