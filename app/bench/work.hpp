// How much a model does by its definition, whatever algorithm runs: the operations that GFLOP/s count.
#pragma once

#include "core/config/model_config.hpp"

namespace whorl {

/// Multiply-adds of one token's recurrence in one layer of width d_model (decay, write and read of each state element);
/// attention: scores and values at the mean context of `length` tokens.
double recurrence_macs(const MixerConfig& mixer, std::int64_t d_model, std::int64_t length);

/// Floating-point operations of one token's forward pass: two a multiply-add of every projection and of the recurrence.
/// A training step has three times as many, for forward and both gradients.
double forward_flops_per_token(const ModelConfig& config, std::int64_t length);

}  // namespace whorl
