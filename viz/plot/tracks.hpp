// Rows or columns of a grid: lengths shared out along a line.
#pragma once

#include <vector>

namespace whorl::plot {

struct Track {
    double low = 0, high = 0;
};

/// The given shares, or equal ones where none are given, with a sum of 1.
std::vector<double> shares_of(const std::vector<double>& given, int count);

/// Lengths by share of `length` less the gaps, none below what it needs while others can give.
std::vector<double> sizes_of(const std::vector<double>& shares, const std::vector<double>& needs, double length,
                             double gap);

/// One after the other from `low` on.
std::vector<Track> tracks(double low, const std::vector<double>& sizes, double gap);

}  // namespace whorl::plot
