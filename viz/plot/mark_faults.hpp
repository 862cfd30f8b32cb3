// What can be wrong with a mark by itself.
#pragma once

#include <string>
#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::plot {

/// Empty: nothing. Else what, as the end of a sentence.
std::string fault_of(const Mark& mark);

/// The values of a mark that axes must be able to show: those that a log axis needs above 0.
struct MarkValues {
    std::vector<double> x, y;
};
MarkValues values_of(const Mark& mark);

}  // namespace whorl::plot
