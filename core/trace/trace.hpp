// What one model's state did on one sequence, as plain data: the viewer, files and notebooks read this and nothing
// else.
//
// A trace is made by decoding: the CPU backend runs the model in double, token by token with carried state, and after
// each token every chosen layer's raw projections are read and its recurrence is followed beside it, head by head, by
// the formulas of core/numerics. (tests/trace holds the two together.)
//
// Every quantity is a row-major array whose axes are named. The first is always `position`. Names and axes:
//
//   mamba3            dt, a, alpha, beta, gamma, lambda [head]: Δ, A, and the weights of
//                     h_{t-1}, B_{t-1} x_{t-1} and B_t x_t
//                     theta [angle], radians per unit of Δ, the same for all heads; phase [head, angle]: φ, in [-π, π]
//                     b, c [head, (rank), state]: B̄ and C̄, normed, with their biases, turned by φ
//                     x [head, (rank), channel]; readout [head, (rank), channel]: h C̄
//                     state [head, state, channel]: h as the layer carries it, in the frame that turns with φ
//                     still_state [head, state, channel]: the same seen from the frame that stands still, where pairs
//                     of channels turn by -Δθ a step: Rot(-φ) h
//   mamba2            dt, a, decay [head]; b, c [head, state]; x, readout [head, channel]; state [head, state, channel]
//   gated_delta_net   decay, beta, eigenvalue [head]: e^g, β, and e^g (1 - β k·k), the transition's along the key
//                     key, query [head, key]; value, readout [head, channel]; state [head, key, channel]
//   attention         weight [head, key_position]: 0 behind the position
//   each              y [head, channel]: what the operation returned to the model (after skip, gate and mixing of
//                     ranks, where the operation has them, and before the output projection and a norm in front of it)
//
// `rank` is there with MIMO only; theta with data-dependent rotation, phase and still_state with any.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/config/model_config.hpp"

namespace whorl {

struct TraceAxis {
    std::string name;
    std::vector<std::int64_t> labels;  // what each index stands for: a position, or a head's or channel's number
};

struct TraceQuantity {
    std::string name;
    std::vector<TraceAxis> axes;
    std::vector<double> values;  // row-major

    std::vector<std::int64_t> shape() const;
};

struct TraceLayer {
    std::int64_t layer = 0;
    std::string type;  // as in configs: "mamba3", …
    std::vector<TraceQuantity> quantities;

    /// nullptr when the layer has none of that name.
    const TraceQuantity* find(const std::string& name) const;
};

struct Trace {
    ModelConfig config;
    std::vector<std::int32_t> tokens;
    std::vector<TraceLayer> layers;  // the chosen ones
    TraceQuantity logits;            // [position, token]
};

/// What to keep. Empty lists mean all. Of heads and pairs a layer keeps those that it has, and a layer with none of the
/// heads is left out: layers of one model may have different numbers of them.
struct TraceSelection {
    std::vector<std::int64_t> layers, heads;
    bool state = true;  // false: no state at all
    /// Pairs of state channels: those that turn together, pair j being channels (2j, 2j+1) or, with rotary_pairing
    /// halves, (j, j + N/2). A last channel without a partner is a pair of its own.
    std::vector<std::int64_t> pairs;
};

/// Numbers that the trace of `length` tokens will hold. Throws UserError naming --layer, --head or --state, with what
/// there is, for a layer that the model lacks, and for a head or pair that no chosen layer has.
std::int64_t count_trace(const ModelConfig& config, std::int64_t length, const TraceSelection& selection);

/// `slice` as ParameterLayout(config) lays it out; tokens within the vocabulary, at least one. `progress` is told
/// how many are done. Throws as count_trace.
Trace record_trace(const ModelConfig& config, const std::vector<double>& slice, const std::vector<std::int32_t>& tokens,
                   const TraceSelection& selection = {}, const std::function<void(std::int64_t)>& progress = {});

}  // namespace whorl
