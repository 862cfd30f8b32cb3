// What a table shows of one population. Every choice is made on validation data, every number is of the test split.
#pragma once

#include "core/training/metrics.hpp"
#include "experiments/run/setup.hpp"

namespace whorl {

inline constexpr double kPass = 0.9;  // scaled accuracy that counts as solved

/// Accuracies are scaled: 0 = guessing, 1 = perfect. "Chosen" are the seeds of the learning rate, decay and Δ range
/// with the highest mean validation accuracy.
struct Cell {
    std::size_t best_replica = 0;               // by validation accuracy
    double best = 0;                            // its accuracy at the table's size
    std::vector<double> curve;                  // and at all test sizes
    std::size_t chosen = 0;                     // the first replica of the chosen
    double best_rate = 0;                       // their learning rate
    double median = 0, min = 0, max = 0;        // over the chosen
    std::vector<double> median_curve;           // the median at all test sizes
    std::int64_t passed = 0, seeds = 0;         // of the chosen: with an accuracy of at least `pass`
    std::int64_t passed_all = 0, replicas = 0;  // in the whole population
};

/// Throws UserError when `test` lacks `size`.
Cell cell_of(const RunSetup& setup, const Evaluation& validation, const Evaluation& test, std::int64_t size,
             double pass = kPass);

}  // namespace whorl
