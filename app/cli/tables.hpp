// Results as text for people.
#pragma once

#include <string>
#include <vector>

#include "app/run/setup.hpp"
#include "app/tables/table.hpp"
#include "core/training/metrics.hpp"

namespace whorl::cli {

/// Writes the table's files into the folder and prints it.
void show_table(const ResultTable& table, const std::string& folder);

/// Accuracy at each size: of replica `best` (by validation), the median, lowest and highest of all replicas of `setup`;
/// the first two scaled, too. Of language also the best one's bits.
void print_population(const Evaluation& evaluation, const RunSetup& setup, std::size_t best);

/// Accuracy and scaled accuracy of each replica, of language also bits a token, perplexity, and bits above the best
/// possible predictor; column i of `evaluation` is replica replicas[i] of `setup`. `chance`
/// is that of the task that was asked for, which need not be the run's.
void print_replicas(const Evaluation& evaluation, const RunSetup& setup, double chance,
                    const std::vector<std::size_t>& replicas);

/// The same of models that no run lies around.
void print_models(const Evaluation& evaluation, double chance, const std::vector<std::size_t>& replicas);

/// "replica 3: learning rate 0.001, weight decay 0.1, seed 1"
std::string replica_text(const ReplicaHyper& replica, std::size_t index);

}  // namespace whorl::cli
