#include "app/inference/needle_grid.hpp"

#include <algorithm>

#include "tasks/registry.hpp"

namespace whorl {

NeedleGrid evaluate_grid(TrainedModels& models, const Needle& task, Split split, const EvaluationConfig& on,
                         const std::vector<std::int64_t>& depths, const EvaluationPace& pace) {
    NeedleGrid grid{depths, {}};
    const auto rows = static_cast<std::int64_t>(depths.size());
    for (std::int64_t i = 0; i < rows; ++i) {
        Needle placed = task;
        placed.depth = static_cast<double>(depths[static_cast<std::size_t>(i)]) / 100;
        grid.rows.push_back(models.evaluate(*make_data_source(placed), split, on, pace.part_of(i, rows)));
    }
    return grid;
}

std::vector<std::int64_t> grid_sizes(std::int64_t trained) {
    std::vector<std::int64_t> sizes;
    for (const std::int64_t times : {1, 2, 4, 8, 16}) sizes.push_back(std::min(times * trained, kLargestTaskSize));
    return sizes;
}

const std::vector<std::vector<double>>& found_shares(const Evaluation& row) {
    return row.found.empty() ? row.accuracy : row.found;
}

}  // namespace whorl
