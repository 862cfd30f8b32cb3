// Needle map: which needles are found, by how deep they lie and how long the text is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// Of one model.
struct NeedleMap {
    std::string name, about;
    plot::Role role = plot::Role::mamba3;
    std::vector<std::int64_t> lengths;       // tokens, ascending
    std::vector<std::int64_t> depths;        // percent of the haystack before the needle, ascending
    std::vector<std::vector<double>> found;  // [depth][length], shares
    std::int64_t count = 0;                  // texts a cell
    std::int64_t trained = 0;                // the longest text of its training; 0: not known
};

/// A map each, below one another. Throws UserError where there is none, or one without cells.
plot::Figure needle_map_figure(const std::vector<NeedleMap>& maps);

/// The longest length up to which, at every depth and each length before it, at least `share` of the needles is found;
/// 0: none.
std::int64_t found_up_to(const NeedleMap& map, double share);

}  // namespace whorl::viz
