// Exhibits look for needles, and their shares become a map.
#pragma once

#include <cstdint>
#include <vector>

#include "core/backend/backend.hpp"
#include "viz/data/exhibit.hpp"
#include "viz/panels/needle_map.hpp"

namespace whorl::viz {

struct NeedleSearch {
    std::vector<std::int64_t> lengths;                        // sizes of the task (an example of size s has s-1 tokens)
    std::vector<std::int64_t> depths = {10, 30, 50, 70, 90};  // percent
    std::int64_t count = 64;                                  // texts a cell, of the test split
    std::int64_t seed = 0;
    std::int64_t trained = 0;  // longest size of the training; 0: not known
};

/// Throws UserError for an exhibit of another task, naming the figures that it can have, and for lengths that the task
/// or the memory does not hold.
NeedleMap make_needle_map(const Exhibit& exhibit, const NeedleSearch& search, Backend& backend);

}  // namespace whorl::viz
