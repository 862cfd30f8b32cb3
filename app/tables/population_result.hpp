// What is known of the replicas of a trained population: all that any table is made of.
#pragma once

#include <optional>
#include <vector>

#include "app/run/setup.hpp"
#include "core/training/replica.hpp"

namespace whorl {

/// What replicas of one setting share; they differ in their seeds.
struct ReplicaSetting {
    double learning_rate = 0, weight_decay = 0;
    DtRange dt;

    bool operator==(const ReplicaSetting& other) const {
        return learning_rate == other.learning_rate && weight_decay == other.weight_decay && dt.min == other.dt.min &&
               dt.max == other.dt.max;
    }
};

struct ReplicaResult {
    ReplicaSetting setting;
    std::int64_t seed = 0;
    std::int64_t steps = 0;   // it took: fewer than the recipe's when it was stopped
    std::int64_t tokens = 0;  // positions it was trained on, padding included
    StopReason stopped = StopReason::none;
    std::vector<double> validation, test;                // accuracy at each size, unscaled
    std::vector<std::optional<double>> validation_loss;  // absent: not a finite number
};

struct PopulationResult {
    double chance = 0;   // accuracy of guessing
    double seconds = 0;  // training and evaluation, all processes together
    std::vector<std::int64_t> validation_sizes, test_sizes;
    std::vector<ReplicaResult> replicas;
    bool in_bits = false;  // replicas are ranked by their loss alone

    std::int64_t tokens() const;  // of all replicas
};

/// What a run's metrics, manifest and last checkpoint say; empty when one is missing or it is not finished. Throws
/// UserError naming the file that cannot be read.
std::optional<PopulationResult> read_population_result(const RunDirectory& run, const RunSetup& setup);

}  // namespace whorl
