// The letters as the build stores them: what make_glyphs.cpp writes and viz/plot/font.cpp reads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace whorl::plot {

/// One face. Lengths are font units, `em` of them to the font's size. `numbers` holds the glyphs in rising order of
/// their letters, each as
///   letter (as uint16), advance, number of contours, and for each contour: number of points, then for each point
///   2x + (1 when it is on the curve, 0 when it controls a quadratic one), y.
/// Points on the curve between two control points are all there.
struct StoredFace {
    const std::int16_t* numbers;
    std::size_t count;
    std::int16_t em, ascent, descent, capital, small;
};

/// Regular, bold.
extern const StoredFace kStoredFaces[2];

}  // namespace whorl::plot
