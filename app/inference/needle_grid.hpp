// Needles at chosen depths in haystacks of chosen sizes: how many a model finds.
#pragma once

#include <vector>

#include "core/training/trained_models.hpp"
#include "tasks/needle.hpp"

namespace whorl {

/// A needle at each of `depths` (percent of the haystack) in haystacks of each size: rows[i] belongs to depths[i]. All
/// depths see the same keys, values and filler.
struct NeedleGrid {
    std::vector<std::int64_t> depths;
    std::vector<Evaluation> rows;
};

NeedleGrid evaluate_grid(TrainedModels& models, const Needle& task, Split split, const EvaluationConfig& on,
                         const std::vector<std::int64_t>& depths, const EvaluationPace& pace);

/// 1, 2, 4, 8 and 16 times the largest training size.
std::vector<std::int64_t> grid_sizes(std::int64_t trained);

/// found[size][replica] of a row. An answer of one token is found when that token is right.
const std::vector<std::vector<double>>& found_shares(const Evaluation& row);

}  // namespace whorl
