// What a table shows of a population. Every choice is made on validation data by the rule of core/base/merit.hpp; every
// number shown is of the test split, which chooses nothing, and of the population's metric: accuracies are scaled, 0 =
// guessing, 1 = perfect.
#pragma once

#include "app/tables/population_result.hpp"

namespace whorl {

inline constexpr double kPass = 0.9;  // scaled accuracy, or share found, that counts as solved

/// At one test size.
struct SizeSummary {
    std::int64_t size = 0;
    double best = 0;                      // of the best replica
    double median = 0, min = 0, max = 0;  // over the seeds of the chosen setting
    std::int64_t passed = 0;              // of them: with at least `pass`; none where less is better
    double median_all = 0;                // over all replicas
    std::int64_t passed_all = 0;          // of all replicas
};

struct Summary {
    std::size_t best_replica = 0;
    ReplicaSetting chosen;  // the best of those with the most seeds: one seed's luck is no ground to prefer a setting
    std::int64_t seeds = 0, replicas = 0;       // of the chosen setting, in all
    std::int64_t solved_early = 0, failed = 0;  // stopped: as solved, or by a number that is not finite
    Metric metric = Metric::accuracy;
    double chance = 0, seconds = 0;
    std::int64_t tokens = 0;         // of all replicas, padding included
    std::vector<SizeSummary> sizes;  // one a test size
    std::size_t read_at = 0;         // the position of the size where the table is read

    const SizeSummary& read() const { return sizes[read_at]; }
};

/// The position of the best replica.
std::size_t best_replica(const PopulationResult& population);

/// The settings in order of merit: the means over their seeds.
std::vector<ReplicaSetting> ranked_settings(const PopulationResult& population);

/// Reads the table at `size`. Throws UserError when the population was not tested there.
Summary summarize(const PopulationResult& population, std::int64_t size, double pass = kPass);

}  // namespace whorl
