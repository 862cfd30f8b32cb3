// Models whose weights are set by hand, in closed form: they show why a layer can do a task, and answer it without a
// mistake. Nothing in them is special: the same layers, configs and files as trained models have.
//
// The three keep their books alike. The embedding of token v is the unit vector of feature v, so that after the norm
// every projection is a table: one entry a token. The features behind the tokens are free; the mixer writes its readout
// there, and the head reads it. A state begins at zero, so nothing marks the zero angle and no first token is known as
// such; instead of turning a marker, each token turns the state and then adds what makes the sum telescope (see each).
#pragma once

#include <string>
#include <vector>

#include "core/config/model_config.hpp"

namespace whorl {

struct ConstructedModel {
    std::string name, description;
    std::string task;  // what it answers, as `whorl tasks` names it, with the task's default parameters
    ModelConfig config;
    std::vector<double> slice;  // as ParameterLayout(config) lays it out
};

/// Parity and sums mod 5 by Mamba-3, parity by Gated DeltaNet.
const std::vector<ConstructedModel>& constructed_models();

/// Throws UserError with the nearest name for an unknown one.
const ConstructedModel& constructed_model(const std::string& name);

/// The sum mod m of the digits read so far, for tokens 0 PAD, 1+d the digit d: one Mamba-3 layer whose state turns by
/// d/m of a whole turn at the digit d. m = 2 is parity.
ConstructedModel cyclic_mamba3(std::int64_t modulus);

/// Parity for tokens 0 PAD, 1 zero, 2 one: one Gated DeltaNet layer that reflects its state at each one.
ConstructedModel reflecting_delta_net();

/// What Mamba-2 can do at best with the same tokens: one layer whose state slides towards a point at each one and stays
/// at each zero. It answers "odd" once it has read a one: right for one of them, and not one of constructed_models(),
/// as no weights make it count.
ConstructedModel sliding_mamba2();

}  // namespace whorl
