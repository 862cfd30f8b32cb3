// The whole training step: making the batch, forward, loss at every position, backward, clipping, AdamW.
#pragma once

#include <string>

#include "core/backend/backend.hpp"
#include "core/model/config.hpp"
#include "experiments/bench/measure.hpp"

namespace whorl {

struct TrainBenchShape {
    std::int64_t replicas = 1, batch = 64, length = 40;
    FormChoice form;
};

struct TrainBenchResult {
    Timing step;
    double tokens_per_second = 0;  // over all replicas
    double flops_per_token = 0;    // model_flops_per_token
    std::int64_t arena_bytes = 0;
    std::int64_t nodes = 0;  // of the step's graph on a GPU
    double gflops() const { return tokens_per_second * flops_per_token * 1e-9; }
};

/// Floating-point operations of one token's forward and backward pass by the model's definition, whatever algorithm
/// runs: two a multiply-add of every projection and of the recurrence (decay, write, read of each state element;
/// attention: its scores and values at mean context), three times over for forward and both gradients.
double model_flops_per_token(const ModelConfig& config, std::int64_t length);

TrainBenchResult bench_train(const ModelConfig& config, const TrainBenchShape& shape, Backend& backend, double seconds);

struct DecodeBenchResult {
    Timing token;  // seconds a token of one sequence
};

/// One sequence, token by token with carried state, `context` tokens of which are behind it when timing starts.
DecodeBenchResult bench_decode(const ModelConfig& config, std::int64_t context, Backend& backend, double seconds);

}  // namespace whorl
