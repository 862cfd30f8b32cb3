// What is known of the replicas of a trained population: all that any table is made of.
#pragma once

#include <optional>
#include <vector>

#include "app/run/setup.hpp"
#include "core/config/config_binding.hpp"
#include "core/training/replica.hpp"

namespace whorl {

/// What a table's numbers are.
enum class Metric {
    accuracy,  // of single tokens, scaled: 0 is guessing, 1 perfect
    found,     // share of answers all of whose tokens are right
    bits,      // cross-entropy of a token in bits, above the best possible predictor's where that is known: less is
               // better
};
constexpr auto enum_names(Metric) {
    return std::to_array<EnumName<Metric>>(
        {{Metric::accuracy, "accuracy"}, {Metric::found, "found"}, {Metric::bits, "bits"}});
}
constexpr bool less_is_better(Metric metric) {
    return metric == Metric::bits;
}

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
    std::vector<double> found{};                         // on test data, at each size; empty: the task has none
    std::vector<std::optional<double>> test_loss{};      // empty: not known, from earlier versions
};

struct PopulationResult {
    double chance = 0;   // accuracy of guessing
    double seconds = 0;  // training and evaluation, all processes together
    std::vector<std::int64_t> validation_sizes, test_sizes;
    std::vector<ReplicaResult> replicas;
    Metric metric = Metric::accuracy;  // what tables show of it
    std::vector<double> ideal_bits{};  // of the best possible predictor at each test size; empty: not known

    std::int64_t tokens() const;  // of all replicas
};

/// What a replica has of the population's metric at test size number `size`. A loss that is not finite counts as that
/// of guessing. Throws UserError where the population has no such score.
double score_of(const PopulationResult& population, const ReplicaResult& replica, std::size_t size);

/// What a run's metrics, manifest and last checkpoint say; empty when one is missing or it is not finished. Throws
/// UserError naming the file that cannot be read.
std::optional<PopulationResult> read_population_result(const RunDirectory& run, const RunSetup& setup);

}  // namespace whorl
