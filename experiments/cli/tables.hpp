// Results as text for people.
#pragma once

#include <string>
#include <vector>

#include "core/training/metrics.hpp"
#include "experiments/run/setup.hpp"

namespace whorl::cli {

/// Accuracy and scaled accuracy at each size: best, median and worst of all replicas of `setup`.
void print_population(const Evaluation& evaluation, const RunSetup& setup);

/// The same of each replica; column i of `evaluation` is replica replicas[i] of `setup`. `chance` is that of the task
/// that was asked for, which need not be the run's.
void print_replicas(const Evaluation& evaluation, const RunSetup& setup, double chance,
                    const std::vector<std::size_t>& replicas);

/// The same of models that no run lies around.
void print_models(const Evaluation& evaluation, double chance, const std::vector<std::size_t>& replicas);

/// "replica 3: learning rate 0.001, weight decay 0.1, seed 1"
std::string replica_text(const ReplicaHyper& replica, std::size_t index);

}  // namespace whorl::cli
