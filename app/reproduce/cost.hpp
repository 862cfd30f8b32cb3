// What a piece will take, before anything is trained.
#pragma once

#include "app/reproduce/piece_training.hpp"

namespace whorl {

struct PieceCost {
    std::int64_t replicas = 0;            // of both stages
    std::int64_t tokens_per_replica = 0;  // positions, padding included; at most, where a replica may stop early or the
                                          // curriculum reacts
    std::int64_t evaluated_per_replica = 0;  // positions of all validations and the test, which go forward only
    double operations = 0;  // of all replicas: 6 for each parameter and token that is trained on (forward
                            // and backward), 2 where it is evaluated on
    /// Trained on.
    double tokens() const { return static_cast<double>(replicas) * static_cast<double>(tokens_per_replica); }
    /// With those evaluated on as the thirds of tokens that they cost.
    double weighted_tokens() const {
        return tokens() + static_cast<double>(replicas) * static_cast<double>(evaluated_per_replica) / 3;
    }
};

/// `more_seeds`: with the second stage.
PieceCost cost_of(const PieceJob& job, bool more_seeds);

/// Seconds that the piece takes on these devices, from a few steps of its first stage at the largest size, scaled by
/// tokens; of evaluations a third of what training takes. Writes no file.
double measured_seconds(const PieceJob& job, bool more_seeds, const Devices& devices, const GroupRequest& group);

}  // namespace whorl
