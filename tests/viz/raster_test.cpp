// Pixels: every shape covers the area that geometry says, where geometry says.
#include "viz/paint/raster.hpp"

#include <cmath>

#include "tests/support/calibration.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/picture.hpp"
#include "viz/paint/png.hpp"
#include "viz/paint/stroke.hpp"

using namespace whorl::plot;

namespace {

constexpr double kPi = 3.141592653589793;
constexpr Color kBlack{};

Ink ink_of(const Shape2d& shape, double scale = 1) {
    return measure_ink(raster(drawing_of(shape), scale));
}

}  // namespace

TEST_CASE("shapes have their area and stand in their place", "[viz][raster]") {
    for (const double scale : {1.0, 2.0, 2.5}) {
        const double area = scale * scale;
        const Ink box = ink_of(Box{{10.25, 8.5}, {40.75, 30.125}, kBlack}, scale);
        CHECK(box.area == Approx(30.5 * 21.625 * area).epsilon(2e-3));
        CHECK(box.x == Approx(25.5 * scale).margin(0.02));
        CHECK(box.y == Approx(19.3125 * scale).margin(0.02));
        CHECK(box.left == Approx(10.25 * scale).margin(0.01));
        CHECK(box.bottom == Approx(30.125 * scale).margin(0.01));

        const Ink disc = ink_of(Circle{{31.3, 20.7}, 9.4, kBlack}, scale);
        CHECK(disc.area == Approx(kPi * 9.4 * 9.4 * area).epsilon(4e-3));
        CHECK(disc.x == Approx(31.3 * scale).margin(0.02));
        CHECK(disc.y == Approx(20.7 * scale).margin(0.02));

        const Ink rounded = ink_of(Box{{10, 10}, {50, 30}, kBlack, 6}, scale);
        CHECK(rounded.area == Approx((800 - (4 - kPi) * 36) * area).epsilon(3e-3));

        const Ink triangle = ink_of(Polygon{{{10, 8}, {46, 14}, {22, 35}}, kBlack}, scale);
        CHECK(triangle.area == Approx(0.5 * (36 * 27 - 6 * 12) * area).epsilon(3e-3));
        CHECK(triangle.x == Approx(26 * scale).margin(0.03));
        CHECK(triangle.y == Approx(19 * scale).margin(0.03));
    }
}

TEST_CASE("lines have the area of their length and width", "[viz][raster]") {
    const double length = std::hypot(30.0, 20.0);
    const Ink line = ink_of(Path{{{10, 10}, {40, 30}}, {kBlack, 3}});
    CHECK(line.area == Approx(3 * length).epsilon(5e-3));
    CHECK(line.x == Approx(25).margin(0.02));
    CHECK(line.y == Approx(20).margin(0.02));

    // Two legs that share a square of half the width at the inner corner, and a quarter disc outside.
    const Ink corner = ink_of(Path{{{10, 10}, {40, 10}, {40, 30}}, {kBlack, 4}});
    CHECK(corner.area == Approx(4 * 50 - 4 + kPi).epsilon(3e-3));
    CHECK(corner.right == Approx(42).margin(0.02));

    const Ink ring = ink_of(Path{{{10, 10}, {40, 10}, {40, 30}, {10, 30}}, {kBlack, 4}, true});
    CHECK(ring.area == Approx(4 * 100 - 4 * 4 + 4 * kPi).epsilon(3e-3));
    CHECK(ring.left == Approx(8).margin(0.02));

    // Points that repeat change nothing; one alone is no line.
    CHECK(ink_of(Path{{{10, 10}, {10, 10}, {40, 30}, {40, 30}}, {kBlack, 3}}).area == Approx(line.area));
    CHECK(ink_of(Path{{{10, 10}, {10, 10}}, {kBlack, 3}}).area == 0);
    CHECK(ink_of(Path{{}, {kBlack, 3}}).area == 0);
}

TEST_CASE("a smooth line is as heavy as its chords", "[viz][raster]") {
    // A circle in 400 pieces shorter than a pixel: overlaps at the joints would make it heavier.
    std::vector<Point> points;
    for (int i = 0; i <= 400; ++i)
        points.push_back({30 + 15 * std::cos(i * kPi / 200), 20 + 15 * std::sin(i * kPi / 200)});
    CHECK(ink_of(Path{points, {kBlack, 1.75}}).area == Approx(2 * kPi * 15 * 1.75).epsilon(4e-3));
}

TEST_CASE("a line that goes back on itself counts once", "[viz][raster]") {
    const Ink there = ink_of(Path{{{10.3, 20.4}, {40, 20.4}}, {kBlack, 3}});
    const Ink and_back = ink_of(Path{{{10.3, 20.4}, {40, 20.4}, {10.3, 20.4}}, {kBlack, 3}});
    CHECK(and_back.area == Approx(there.area + 0.5 * kPi * 1.5 * 1.5).epsilon(0.02));  // and a round tip
    CHECK(and_back.right > 41.1);
    CHECK(and_back.right < 41.6);
    CHECK_FALSE(turns_back({{0, 0}, {1, 0}, {1, 1}, {2, 1}}));
    CHECK(turns_back({{0, 0}, {1, 0}, {0, 0.1}}));
}

TEST_CASE("dashes cover their share of a line", "[viz][raster]") {
    const auto dashed_line = [](std::vector<double> dash) {
        return ink_of(Path{{{10, 20}, {50, 20}}, {kBlack, 2, std::move(dash)}}).area;
    };
    CHECK(dashed_line({4, 4}) == Approx(40).epsilon(2e-3));
    CHECK(dashed_line({7, 3}) == Approx(56).epsilon(2e-3));
    CHECK(dashed_line({5}) == Approx(40).epsilon(2e-3));  // 5 on, 5 off
    CHECK(dashed_line({100, 1}) == Approx(80).epsilon(2e-3));
    CHECK(dashed_line({0, 0}) == Approx(80).epsilon(2e-3));  // no pattern
    CHECK(dashed_line({4, -1}) == Approx(80).epsilon(2e-3));
    CHECK(dashed_line({1e-9, 1e-9}) == Approx(80).epsilon(2e-3));  // finer than anybody sees
    // Around a corner, and from the end of a closed line into its beginning.
    const Contours pieces = dashed({{0, 0}, {10, 0}, {10, 10}, {0, 10}}, true, {12, 4});
    REQUIRE(pieces.size() == 2);
    CHECK(pieces[0].front().y == Approx(8));  // (0, 8) to (10, 2): 8 and 12 long
    CHECK(pieces[0].back().y == Approx(2));
    CHECK(pieces[1].size() == 3);
}

TEST_CASE("letters are where their outlines are", "[viz][raster]") {
    // The hyphen is a box: 100 … 639, 479 … 643 of 2048.
    const Ink hyphen = ink_of(Run{{10, 36}, "-", Face::regular, 100, kBlack}, 1);
    CHECK(hyphen.left == Approx(10 + 100 * 100.0 / 2048).margin(0.02));
    CHECK(hyphen.right == Approx(10 + 100 * 639.0 / 2048).margin(0.02));
    CHECK(hyphen.bottom == Approx(36 - 100 * 479.0 / 2048).margin(0.02));
    CHECK(hyphen.top == Approx(36 - 100 * 643.0 / 2048).margin(0.02));
    // The hole of an o is a hole, and the second letter stands an advance behind the first.
    const Ink o = ink_of(Run{{10, 30}, "o", Face::regular, 20, kBlack}),
              oo = ink_of(Run{{10, 30}, "oo", Face::regular, 20, kBlack});
    CHECK(oo.area == Approx(2 * o.area).epsilon(0.01));
    CHECK(oo.x == Approx(o.x + 10 * text_width("o", Face::regular)).margin(0.05));
    CHECK(o.area < 0.6 * (o.right - o.left) * (o.bottom - o.top));
}

TEST_CASE("clips and opacity leave their share", "[viz][raster]") {
    Drawing drawing = drawing_of(Box{{0, 0}, {60, 40}, kBlack});
    drawing.items[0].clip = Box{{10.5, 5.25}, {20, 15}, {}};
    CHECK(measure_ink(raster(drawing)).area == Approx(9.5 * 9.75).epsilon(3e-3));
    CHECK(ink_of(Box{{10, 10}, {20, 20}, {0, 0, 0, 0.25}}).area == Approx(25).epsilon(0.01));
    CHECK(ink_of(Box{{10, 10}, {20, 20}, {0, 0, 0, 0}}).area == 0);
    CHECK(ink_of(Path{{{10, 10}, {30, 10}, {20, 10}}, {{0, 0, 0, 0.5}, 4}}).area < 0.53 * (80 + kPi * 2));
}

TEST_CASE("cells leave no seams", "[viz][raster]") {
    // Black cells whose edges fall inside pixels: between them nothing of the white ground.
    Cells cells{{10.3, 10.6}, {49.1, 30.2}, 7, 9, std::vector<Color>(63)};
    for (std::size_t i = 0; i < cells.colors.size(); ++i) cells.colors[i].red = static_cast<std::uint8_t>(i % 2);
    const Image image = raster(drawing_of(cells));
    for (int y = 11; y < 30; ++y)
        for (int x = 11; x < 49; ++x) CHECK(image.rgba[4 * static_cast<std::size_t>(y * 60 + x)] <= 1);
    CHECK(measure_ink(image).area == Approx(38.8 * 19.6).epsilon(5e-3));
    const auto red = [&](int x, int y) { return image.rgba[4 * static_cast<std::size_t>(y * 60 + x)]; };
    CHECK(red(10, 12) == Approx(255 * 0.3).margin(2));  // 10.3 on, between two rows' edges
    CHECK(red(12, 30) == Approx(255 * 0.8).margin(2));  // up to 30.2
}

TEST_CASE("a PNG file holds the pixels", "[viz][raster]") {
    const Image image = raster(calibration_drawing(), 1.5);
    const Image read = read_png(png_bytes(image));
    CHECK(read.width == 480);
    CHECK(read.height == 390);
    CHECK(read.rgba == image.rgba);
}
