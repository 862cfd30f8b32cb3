// How much of each pixel a polygon covers, against counting points.
#include "viz/paint/coverage.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

using namespace whorl::plot;

namespace {

/// Coverage of each pixel of a small paper.
std::vector<double> covered(Coverage& coverage, int width, int height) {
    std::vector<double> pixels(static_cast<std::size_t>(width * height));
    coverage.sweep([&](int x, int y, float share) {
        pixels[static_cast<std::size_t>(y * width + x)] = static_cast<double>(share);
    });
    return pixels;
}

double sum(const std::vector<double>& values) {
    double result = 0;
    for (const double value : values) result += value;
    return result;
}

/// Numbers in [0, 1) that look random.
double scatter(int i) {
    const double x = std::sin(i * 12.9898) * 43758.5453;
    return x - std::floor(x);
}

/// The part of pixel (px, py) that lies in the triangle, by counting.
double counted(const Contour& triangle, int px, int py) {
    constexpr int kEach = 64;
    int inside = 0;
    for (int i = 0; i < kEach * kEach; ++i) {
        const Point p{px + (i % kEach + 0.5) / kEach, py + (i / kEach + 0.5) / kEach};
        int left = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            const Point a = triangle[k], b = triangle[(k + 1) % 3];
            left += (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) > 0 ? 1 : 0;
        }
        inside += left == 0 || left == 3 ? 1 : 0;
    }
    return inside / static_cast<double>(kEach * kEach);
}

}  // namespace

TEST_CASE("coverage is the exact area in every pixel", "[viz][raster]") {
    constexpr int kSize = 12;
    Coverage coverage(kSize, kSize);
    for (int i = 0; i < 20; ++i) {
        Contour triangle;
        for (int k = 0; k < 3; ++k) triangle.push_back({12 * scatter(6 * i + k), 12 * scatter(6 * i + k + 3)});
        coverage.add(triangle, 1);
        const std::vector<double> exact = covered(coverage, kSize, kSize);
        coverage.add_union({triangle}, 1);
        const std::vector<double> scanned = covered(coverage, kSize, kSize);
        double worst = 0, worst_scanned = 0;
        for (int p = 0; p < kSize * kSize; ++p) {
            const double truth = counted(triangle, p % kSize, p / kSize);
            worst = std::max(worst, std::abs(exact[static_cast<std::size_t>(p)] - truth));
            worst_scanned = std::max(worst_scanned, std::abs(scanned[static_cast<std::size_t>(p)] - truth));
        }
        CHECK(worst < 1.5 / 64);         // of the counting
        CHECK(worst_scanned < 1.0 / 8);  // a pixel has 8 scanlines
    }
}

TEST_CASE("what reaches beyond the paper is cut there", "[viz][raster]") {
    Coverage coverage(10, 10);
    coverage.add({{-5, -5}, {1e9, -5}, {1e9, 4.5}, {-5, 4.5}}, 1);
    CHECK(sum(covered(coverage, 10, 10)) == Approx(45));
    coverage.add({{-20, 5}, {5, -20}, {30, 5}, {5, 30}}, 1);
    CHECK(sum(covered(coverage, 10, 10)) == Approx(100));
    coverage.add({{20, 2}, {30, 2}, {30, 8}}, 1);
    coverage.add({{-20, 2}, {-30, 2}, {-30, 8}}, 1);
    CHECK(sum(covered(coverage, 10, 10)) == Approx(0).margin(1e-6));
    coverage.add({{5, -1000}, {2000, 5}, {5, 1000}, {-2000, 5}}, 1);
    CHECK(sum(covered(coverage, 10, 10)) == Approx(100));
    coverage.add_union({{{-5, -5}, {1e9, -5}, {1e9, 4.5}, {-5, 4.5}}, {{2, 2}, {8, 2}, {8, 3}, {2, 3}}}, 1);
    CHECK(sum(covered(coverage, 10, 10)) == Approx(45));
}
