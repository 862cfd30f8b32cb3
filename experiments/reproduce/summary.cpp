#include <algorithm>

#include "core/base/error.hpp"
#include "core/training/statistics.hpp"
#include "experiments/reproduce/table.hpp"

namespace whorl {
namespace {

std::size_t index_of(const std::vector<std::int64_t>& sizes, std::int64_t size) {
    const auto found = std::find(sizes.begin(), sizes.end(), size);
    if (found == sizes.end())
        throw UserError("the recipe's test.sizes lack " + std::to_string(size) + ", where the table is read");
    return static_cast<std::size_t>(found - sizes.begin());
}

// First replica of the group of seeds (one learning rate, decay and Δ range) with the highest mean validation accuracy.
std::size_t best_group(const std::vector<double>& validation, std::size_t seeds) {
    std::size_t best = 0;
    double highest = -1;
    for (std::size_t first = 0; first < validation.size(); first += seeds) {
        double sum = 0;
        for (std::size_t s = 0; s < seeds; ++s) sum += validation[first + s];
        if (sum > highest) best = first, highest = sum;
    }
    return best;
}

}  // namespace

RowResult summarize(const TableRow& row, const RunSetup& setup, const SessionResult& result,
                    const Evaluation& validation, std::int64_t test_size) {
    const double chance = setup.data->chance();
    const std::vector<double>& accuracy = result.test.accuracy[index_of(result.test.sizes, test_size)];
    const auto seeds = static_cast<std::size_t>(setup.config.replicas.seeds);
    const std::size_t group = best_group(validation.mean_accuracy(), seeds);
    RowResult summary;
    summary.row = &row;
    summary.best_replica = best_replica(validation);
    summary.best = scaled_accuracy(accuracy[summary.best_replica], chance);
    for (const auto& at_size : result.test.accuracy) {
        summary.curve.push_back(scaled_accuracy(at_size[summary.best_replica], chance));
        const auto first = at_size.begin() + static_cast<std::ptrdiff_t>(group);
        const std::vector<double> seeds_at_size(first, first + static_cast<std::ptrdiff_t>(seeds));
        summary.median_curve.push_back(scaled_accuracy(median(seeds_at_size), chance));
    }
    summary.best_rate = replicas_of(setup.config.replicas)[group].learning_rate;
    std::vector<double> of_group;
    for (std::size_t r = 0; r < accuracy.size(); ++r) {
        const double scaled = scaled_accuracy(accuracy[r], chance);
        const bool in_group = r >= group && r < group + seeds, pass = scaled >= kPass;
        if (in_group) of_group.push_back(scaled);
        summary.passed += in_group && pass ? 1 : 0;
        summary.passed_all += pass ? 1 : 0;
    }
    summary.median = median(of_group);
    summary.min = *std::min_element(of_group.begin(), of_group.end());
    summary.max = *std::max_element(of_group.begin(), of_group.end());
    summary.seeds = setup.config.replicas.seeds;
    summary.replicas = setup.config.replicas.count();
    summary.seconds = result.seconds;
    return summary;
}

}  // namespace whorl
