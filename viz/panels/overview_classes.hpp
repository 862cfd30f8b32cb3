// Dots by colour and shape: a class for each value of a key, ranges of it where there are many.
#pragma once

#include <string>
#include <vector>

#include "viz/panels/overview_data.hpp"

namespace whorl::viz {

struct OverviewClass {
    std::string label;
    plot::Role role = plot::Role::mamba3;
    plot::Shape shape = plot::Shape::by_role;
    bool hollow = false;
    std::vector<std::size_t> members;  // positions in the list of dots
};

/// At most eight; of texts the rarest are lumped together as "others". Dots of which nothing is known are "unknown".
std::vector<OverviewClass> overview_classes(const OverviewData& data, const std::vector<std::size_t>& dots,
                                            std::size_t key);

}  // namespace whorl::viz
