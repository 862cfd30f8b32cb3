#include "experiments/run/cell.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/training/statistics.hpp"

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

std::vector<double> scaled(const std::vector<double>& accuracy, double chance) {
    std::vector<double> result;
    for (const double value : accuracy) result.push_back(scaled_accuracy(value, chance));
    return result;
}

std::vector<double> part(const std::vector<double>& values, std::size_t first, std::size_t count) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

std::int64_t passing(const std::vector<double>& values, double pass) {
    return std::count_if(values.begin(), values.end(), [pass](double value) { return value >= pass; });
}

}  // namespace

Cell cell_of(const RunSetup& setup, const Evaluation& validation, const Evaluation& test, std::int64_t size,
             double pass) {
    const double chance = setup.data->chance();
    const std::vector<double> all = scaled(test.accuracy[index_of(test.sizes, size)], chance);
    const auto seeds = static_cast<std::size_t>(setup.config.replicas.seeds);
    Cell cell;
    cell.best_replica = best_replica(validation);
    cell.best = all[cell.best_replica];
    cell.chosen = best_group(validation.mean_accuracy(), seeds);
    cell.best_rate = replicas_of(setup.config.replicas)[cell.chosen].learning_rate;
    for (const auto& accuracy : test.accuracy) {
        const std::vector<double> at_size = scaled(accuracy, chance);
        cell.curve.push_back(at_size[cell.best_replica]);
        cell.median_curve.push_back(median(part(at_size, cell.chosen, seeds)));
    }
    const std::vector<double> chosen = part(all, cell.chosen, seeds);
    cell.median = median(chosen);
    cell.min = *std::min_element(chosen.begin(), chosen.end());
    cell.max = *std::max_element(chosen.begin(), chosen.end());
    cell.passed = passing(chosen, pass);
    cell.seeds = setup.config.replicas.seeds;
    cell.passed_all = passing(all, pass);
    cell.replicas = setup.config.replicas.count();
    return cell;
}

}  // namespace whorl
