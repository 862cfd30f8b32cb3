// What a piece will take, before anything is trained.
#pragma once

#include "app/reproduce/piece_training.hpp"

namespace whorl {

struct PieceCost {
    std::int64_t replicas = 0;            // of both stages
    std::int64_t tokens_per_replica = 0;  // positions, padding included; at most, where a replica may stop early or the
                                          // curriculum reacts
    double operations = 0;                // of all replicas: 6 for each parameter and token (forward and backward)
    double tokens() const { return static_cast<double>(replicas) * static_cast<double>(tokens_per_replica); }
};

/// `more_seeds`: with the second stage.
PieceCost cost_of(const PieceJob& job, bool more_seeds);

/// Seconds that the piece's training takes on these devices, from a few steps of its first stage at the largest size,
/// scaled by tokens; evaluations not counted. Writes no file.
double measured_seconds(const PieceJob& job, bool more_seeds, const Devices& devices, const GroupRequest& group);

}  // namespace whorl
