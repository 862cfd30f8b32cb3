// Results as text for people.
#pragma once

#include <string>
#include <vector>

#include "core/training/metrics.hpp"
#include "experiments/run/setup.hpp"

namespace whorl::cli {

/// Accuracy and scaled accuracy at each size: best, median and worst of all replicas of `setup`.
void print_population(const Evaluation& evaluation, const RunSetup& setup);

/// The same of each replica; column i of `evaluation` is replica replicas[i] of `setup`.
void print_replicas(const Evaluation& evaluation, const RunSetup& setup, const std::vector<std::size_t>& replicas);

/// "replica 3: learning rate 0.001, weight decay 0.1, seed 1"
std::string replica_text(const ReplicaHyper& replica, std::size_t index);

}  // namespace whorl::cli
