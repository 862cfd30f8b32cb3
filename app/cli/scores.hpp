// What `whorl eval` shows beside accuracy: how far a model gets, where in an example it is right, and the needle grid.
#pragma once

#include <string>
#include <vector>

#include "app/run/setup.hpp"
#include "core/training/metrics.hpp"
#include "core/training/trained_models.hpp"

namespace whorl::cli {

/// "effective length (accuracy ≥ 0.9): replica 3: 64". Column i of `evaluation` is replica replicas[i].
void print_effective_lengths(const Evaluation& evaluation, const std::vector<std::size_t>& replicas, double threshold);

/// Accuracy at the 1st, 2nd, … supervised position of an example, ten a line, for each size and replica.
void print_positions(const Evaluation& evaluation, const std::vector<std::size_t>& replicas);

/// A needle at each of `depths` (percent of the haystack) in haystacks of each size: rows[i] belongs to depths[i]. All
/// depths see the same keys, values and filler.
struct NeedleGrid {
    std::vector<std::int64_t> depths;
    std::vector<Evaluation> rows;
};

NeedleGrid evaluate_grid(TrainedModels& models, const Needle& task, Split split, const EvaluationConfig& on,
                         const std::vector<std::int64_t>& depths, std::int64_t positions);

/// 1, 2, 4, 8 and 16 times the largest training size.
std::vector<std::int64_t> grid_sizes(std::int64_t trained);

/// Percent of needles found, a table for each replica: depths down, sizes across.
void print_grid(const NeedleGrid& grid, const std::vector<std::size_t>& replicas, std::int64_t trained);

/// The grid as {sizes, depths, count, accuracy[depth][size][replica], found[depth][size][replica] where it differs, …}.
Value to_table(const NeedleGrid& grid);

}  // namespace whorl::cli
