// What a table shows of a piece. Every choice is made on validation data at the largest validated size, equals by the
// lower loss there; every number shown is of the test split, scaled: 0 = guessing, 1 = perfect.
#pragma once

#include "experiments/reproduce/piece_record.hpp"

namespace whorl {

/// Positions of the replicas in order of merit.
std::vector<std::size_t> ranked_replicas(const PieceRecord& record);

/// The learning rates of a first stage in order of merit: the mean over their seeds.
std::vector<double> ranked_rates(const PieceRecord& record);

struct PieceSummary {
    std::size_t best_replica = 0;
    double best = 0;                           // best of sweep, at the table's size
    std::vector<double> curve;                 // and at all test sizes
    double median = 0;                         // over all replicas
    std::int64_t passed = 0, replicas = 0;     // with an accuracy of at least kPass
    double rate = 0;                           // the best of those with the most seeds
    std::int64_t seeds_passed = 0, seeds = 0;  // at that rate
    double seed_min = 0, seed_median = 0, seed_max = 0;
    std::vector<double> seed_curve;             // the median over its seeds at all test sizes
    std::int64_t solved_early = 0, failed = 0;  // stopped: as solved, or by a number that is not finite
};

PieceSummary summarize(const PieceRecord& record);

}  // namespace whorl
