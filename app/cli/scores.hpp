// What `whorl eval` shows beside accuracy: how far a model gets, where in an example it is right, and the needle grid.
#pragma once

#include <string>
#include <vector>

#include "app/inference/needle_grid.hpp"
#include "app/run/setup.hpp"
#include "core/training/metrics.hpp"

namespace whorl::cli {

/// "effective length (accuracy ≥ 0.9): replica 3: 64". Column i of `evaluation` is replica replicas[i].
void print_effective_lengths(const Evaluation& evaluation, const std::vector<std::size_t>& replicas, double threshold);

/// Accuracy at the 1st, 2nd, … supervised position of an example, ten a line, for each size and replica.
void print_positions(const Evaluation& evaluation, const std::vector<std::size_t>& replicas);

/// Percent of needles found, a table for each replica: depths down, sizes across.
void print_grid(const NeedleGrid& grid, const std::vector<std::size_t>& replicas, std::int64_t trained);

/// The grid as {sizes, depths, count, accuracy[depth][size][replica], found[depth][size][replica] where it differs, …}.
Value to_table(const NeedleGrid& grid);

}  // namespace whorl::cli
