#include "viz/paint/glyph_table.hpp"

#include <cmath>

#include "viz/paint/big_endian.hpp"

namespace whorl::plot {
namespace {

// Bits of a point's flag.
constexpr unsigned kOnCurve = 1, kShortX = 2, kShortY = 4, kSameOrPositiveX = 16, kSameOrPositiveY = 32;

int units(float ems) {
    return static_cast<int>(std::lround(static_cast<double>(ems) * kUnitsPerEm));
}

/// Writes a step along one axis in 0, 1 or 2 bytes and returns the flag bits that say so.
unsigned add_step(BigEndian& out, int step, unsigned is_short, unsigned same_or_positive) {
    if (step == 0) return same_or_positive;
    if (std::abs(step) < 256) {
        out.u8(static_cast<unsigned>(std::abs(step)));
        return is_short | (step > 0 ? same_or_positive : 0u);
    }
    out.s16(step);
    return 0;
}

/// Flags of all points, then their steps in x, then in y.
struct StoredPoints {
    BigEndian ends, flags, x, y;
    int last_x = 0, last_y = 0, count = 0;
    GlyphBox box;

    void add(const OutlinePoint& point) {
        const int px = units(point.x), py = units(point.y);
        unsigned flag = point.on ? kOnCurve : 0u;
        flag |= add_step(x, px - last_x, kShortX, kSameOrPositiveX);
        flag |= add_step(y, py - last_y, kShortY, kSameOrPositiveY);
        flags.u8(flag);
        last_x = px, last_y = py, ++count;
        box.add(px, py);
    }
};

}  // namespace

StoredOutline stored_outline(const Glyph& glyph) {
    StoredOutline result;
    result.advance = units(glyph.advance);
    if (glyph.contours.empty()) return result;
    StoredPoints points;
    for (const std::vector<OutlinePoint>& contour : glyph.contours) {
        for (const OutlinePoint& point : contour) points.add(point);
        points.ends.u16(static_cast<unsigned>(points.count - 1));
    }
    result.box = points.box, result.points = points.count;
    result.contours = static_cast<int>(glyph.contours.size());
    BigEndian out;
    out.s16(result.contours).s16(points.box.low_x).s16(points.box.low_y).s16(points.box.high_x).s16(points.box.high_y);
    out.text(points.ends.bytes()).u16(0);  // no instructions
    out.text(points.flags.bytes()).text(points.x.bytes()).text(points.y.bytes()).align(4);
    result.bytes = out.bytes();
    return result;
}

}  // namespace whorl::plot
