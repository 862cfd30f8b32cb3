// How much of each pixel a polygon covers: exact areas, for one shape at a time.
//
// Each edge adds, in its row of pixels, the signed area to its right: all of it in the pixels further right, a part in
// those that it crosses. So only crossed pixels are touched, and a sum from the left gives each pixel's coverage, which
// is right as long as a pixel holds no edges of overlapping contours (a little too much there).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "viz/paint/outlines.hpp"

namespace whorl::plot {

class Coverage {
public:
    Coverage(int width, int height);

    /// Pixels = points · scale.
    void add(const Contour& contour, double scale);

    /// What lies in any of the contours counts once, however they overlap. Exact along each of kScanlines lines a
    /// pixel; for outlines that double back on themselves within pixels, where add() would take too much.
    void add_union(const Contours& contours, double scale);
    static constexpr int kScanlines = 8;

    /// Calls paint(x, y, coverage) with 0 < coverage ≤ 1 for each pixel covered so far, and forgets them.
    template <class Paint>
    void sweep(const Paint& paint) {
        for (int y = first_row_; y <= last_row_; ++y) sweep_row(y, paint);
        first_row_ = height_, last_row_ = -1;
    }

private:
    struct Extent {
        int first, last;
    };

    template <class Paint>
    void sweep_row(int y, const Paint& paint) {
        constexpr float kNothing = 1.0f / 512;
        Extent& extent = extents_[static_cast<std::size_t>(y)];
        float* row = row_of(y);
        float sum = 0;
        for (int x = extent.first; x <= extent.last; ++x) {
            sum += row[x];
            row[x] = 0;
            const float covered = std::min(std::abs(sum), 1.0f);
            if (covered > kNothing && x < width_) paint(x, y, covered);
        }
        extent = {width_, -1};
    }

    float* row_of(int y) { return &cells_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_ + 2)]; }
    void edge(Point from, Point to);
    void edge_inside(Point top, Point bottom, double sign);
    void edge_in_row(int row, double x0, double x1, double cover);
    void edge_of_span(int row, double x, bool begins);

    int width_, height_;
    int first_row_, last_row_ = -1;
    std::vector<float> cells_;     // [height, width + 2]: what the sum changes by at each pixel
    std::vector<Extent> extents_;  // the touched cells of each row
};

}  // namespace whorl::plot
