// Grids as data: the values that a population's members differ in, as people write them.
//
//     learning_rate = 1e-3                                    one value
//     learning_rate = [1e-3, 3e-3]                            a list
//     learning_rate = { log = [1e-4, 1e-2], count = 8 }       evenly spaced in the logarithm, both ends included
//     learning_rate = { linear = [0.0, 0.1], count = 3 }      evenly spaced
//     dt_range = { min = 0.1, max = 1.0 }                     one range, or a list of them
//     dt_range = { min = 0.1, max = { log = [0.3, 3], count = 3 } }      min and max may be grids: every pair
//
// A grid is resolved when it is read: config.toml lists its values, so that another machine's logarithm cannot change
// them.
#pragma once

#include <vector>

#include "core/config/config_binding.hpp"

namespace whorl {

inline constexpr std::int64_t kMostReplicas = 65536;

/// A range of step sizes Δ at initialisation; 0, 0: as the model's config says.
struct DtRange {
    double min = 0, max = 0;
};

/// A list of numbers that a config may give in any of the ways above; for use in a struct's describe().
struct NumberGrid {
    std::vector<double>& values;
};

/// Throws UserError for no values at all, a number out of `limits`, a table that is no grid, and values that are there
/// several times, as float32 has them: they would make copies of one replica.
void read_value(const Value& value, const Place& place, NumberGrid& grid, const Limits& limits);
Value write_value(const NumberGrid& grid);

/// The same for ranges: 0 < min ≤ max, or 0 for both.
struct RangeGrid {
    std::vector<DtRange>& values;
};

void read_value(const Value& value, const Place& place, RangeGrid& grid, const Limits& limits);
Value write_value(const RangeGrid& grid);

/// `count` values from `first` to `last`. Those between the ends are rounded to six significant digits: short in
/// config.toml, and the same on every machine. A single one is the middle.
std::vector<double> linear_grid(double first, double last, std::int64_t count);
/// Evenly spaced in the logarithm; both ends must be above 0.
std::vector<double> log_grid(double first, double last, std::int64_t count);

}  // namespace whorl
