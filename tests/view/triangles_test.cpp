// Areas cut into triangles keep their area.
#include "viz/app/triangles.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

using namespace whorl::view;
using whorl::plot::Contour;

namespace {

double area_of_triangles(const Contour& points) {
    double area = 0;
    for (const auto& [a, b, c] : triangles(points)) {
        const auto at = [&](int i) { return points[static_cast<std::size_t>(i)]; };
        const double part = signed_area({at(a), at(b), at(c)});
        CHECK(part >= 0);
        area += part;
    }
    return area;
}

/// A star whose corners lie at radius 10 and `inner` in turn.
Contour star(int tips, double inner) {
    Contour points;
    for (int i = 0; i < 2 * tips; ++i) {
        const double angle = 3.141592653589793 * i / tips, r = i % 2 == 0 ? 10 : inner;
        points.push_back({r * std::cos(angle), r * std::sin(angle)});
    }
    return points;
}

}  // namespace

TEST_CASE("triangles fill a polygon without gaps or overlaps", "[view][triangles]") {
    for (const int tips : {2, 3, 5, 40})
        for (const double inner : {1.0, 4.0, 10.0}) {
            const Contour points = star(tips, inner);
            CAPTURE(tips, inner);
            REQUIRE(signed_area(points) > 0);
            CHECK(triangles(points).size() == points.size() - 2);
            CHECK(area_of_triangles(points) == Approx(signed_area(points)));
        }
}

TEST_CASE("a band that turns back on itself is filled once", "[view][triangles]") {
    Contour band;
    for (int i = 0; i <= 100; ++i) band.push_back({1.0 * i, 10 * std::sin(i * 0.2)});
    for (int i = 100; i >= 0; --i) band.push_back({1.0 * i, 10 * std::sin(i * 0.2) + 4});
    REQUIRE(signed_area(band) > 0);
    CHECK(area_of_triangles(band) == Approx(signed_area(band)));
}

TEST_CASE("triangles of what crosses itself come to an end", "[view][triangles]") {
    CHECK(triangles({{0, 0}, {10, 10}, {10, 0}, {0, 10}}).size() == 2);
    CHECK(triangles({{0, 0}, {1, 1}, {2, 2}, {3, 3}, {0, 0}}).size() == 3);
}
