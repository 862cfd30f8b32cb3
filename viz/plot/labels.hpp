// Labels beside what they name, and none upon another.
//
// A mark wishes for a label and lists where it could stand, the best place first; the labels are placed one by one,
// heavy marks first, each where it costs least: no other label may be there, ink below it costs, so does distance. What
// finds no place at all is left out rather than printed over something (Placed::left_out).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/plot/geometry.hpp"
#include "viz/plot/place.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::plot {

/// Which parts of the paper marks have inked, in squares of 4 pixels.
class Ink {
public:
    Ink(double width, double height);
    void add_line(const std::vector<Point>& points);
    void add_disc(Point center, double radius);
    void add_box(const Box& box);
    /// Share of the box that is inked, 0 … 1.
    double share(const Box& box) const;

private:
    void mark(double x, double y);
    std::int64_t columns_, rows_;
    std::vector<std::uint8_t> inked_;
};

struct LabelSpot {
    Point middle;                   // of the label's box
    double cost = 0;                // of standing there, in shares of inked area
    std::optional<Point> leader{};  // a line from here to the label
};

struct LabelWish {
    std::string id;
    TextBlock block;
    std::vector<LabelSpot> spots;
    Box room;  // where it may stand
    Weight weight = Weight::data;
    Color leader, ground;
    double hair = 1;    // width of the leader
    bool veil = false;  // ground under the letters wherever they stand
};

/// Spots around `anchor`, `gap` away from it and farther, those in the directions of `first` before the others.
std::vector<LabelSpot> spots_around(Point anchor, double gap, const TextBlock& block, const std::vector<Point>& first);

/// Spot that touches `anchor` from that direction at that distance.
LabelSpot spot_beside(Point anchor, Point direction, double gap, const TextBlock& block, double cost);

/// Places all; adds one item a label.
void place_wishes(std::vector<LabelWish> wishes, const Ink& ink, Placed& placed);

/// Middles of boxes in a column, as near to `wanted` as fits: none upon another, all within [low, high]. In the order
/// given, which `wanted` must not decrease in. Least squares under order, by pooling neighbours.
std::vector<double> apart_in_column(const std::vector<double>& wanted, const std::vector<double>& heights, double low,
                                    double high);

}  // namespace whorl::plot
