// Where dots stand along one axis: a scale for many numbers, even places for names and for few numbers.
#pragma once

#include <vector>

#include "viz/panels/overview_data.hpp"

namespace whorl::viz {

struct OverviewAxis {
    plot::Axis axis;
    std::vector<double> at;     // [dot of the list], NaN where nothing is known
    std::vector<Known> places;  // of even places, from the first at 0; empty: a scale
};

/// For dots in the order of `dots`; `ordered`: even places come as they are met there, else in ascending order.
OverviewAxis overview_axis(const OverviewData& data, const std::vector<std::size_t>& dots, std::size_t key,
                           bool ordered);

/// Moves dots of one of the places apart sideways that would cover each other.
void spread(std::vector<double>& x, const std::vector<double>& y, std::size_t places);

}  // namespace whorl::viz
