// Training: when does it learn? Losses of all replicas, accuracies of one by size, and, of a Mamba-3 layer, by how much
// each token turns the state, all over the steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// By how much tokens turn the pairs of one head, degrees. A pair's sense is that in which its largest final turn is
/// positive: which of the two a pair learnt says nothing.
struct TurnHistory {
    std::int64_t layer = 0, head = 0;
    std::vector<std::int64_t> pairs;
    std::vector<std::string> tokens;                     // as people write them
    std::vector<std::int64_t> steps;                     // of each frame
    std::vector<std::vector<std::vector<double>>> turn;  // [token][pair][frame]
    std::vector<double> owed;                            // of each token, degrees; empty: not known
};

struct TrainingData {
    std::string name, about;
    plot::Role role = plot::Role::mamba3;
    std::vector<std::int64_t> loss_steps;
    std::vector<std::vector<double>> loss;  // [replica][row]; NaN where a replica took no step
    std::size_t chosen = 0;                 // the replica drawn bold, and the one below
    std::string chosen_name;                // "seed 2"
    double least_loss = 0;                  // that the loss allows: that of smoothed targets is not 0
    std::vector<std::int64_t> accuracy_steps, sizes;
    std::vector<std::vector<double>> accuracy;  // [size][row], of the chosen replica
    double chance = 0.5;
    std::optional<TurnHistory> turns{};
    std::int64_t steps = 0;                      // that the axis has room for; 0: those that were made
    std::string note{};                          // what people should know of where the numbers are from
    std::optional<std::int64_t> moment{};        // a step to mark
    std::vector<std::vector<double>> earlier{};  // losses of trainings before, at the same steps as far as they go
};

/// Panels for what there is. Throws UserError where there is no loss at all.
plot::Figure training_figure(const TrainingData& data);

/// The first logged step from which on the chosen replica's loss stays within a twentieth of its fall; -1: none.
std::int64_t flat_from(const TrainingData& data);
/// The first step from which on the accuracy at size `which` stays at 95 % or above, to the end; -1: none.
std::int64_t learnt_at(const TrainingData& data, std::size_t which);

}  // namespace whorl::viz
