// What an input finally weighs: its own step's share and the next step's.
//
// The exponential trapezoid adds γ_t B_t x_t at step t, and at the next one β_{t+1} B_t x_t, of which α_{t+1} is decay
// that all else suffers as well. Undecayed, the input of step t weighs
//
//     γ_t + β_{t+1}/α_{t+1} = λ_t Δ_t + (1 - λ_{t+1}) Δ_{t+1}
//
// so that the next token co-decides; the last one still waits for it. Computed from λ and Δ: β and α may underflow.
// Source: spec of Mamba-3's parallel form, s_j.
#pragma once

#include <vector>

#include "core/trace/trace.hpp"

namespace whorl::trace {

struct SourceWeights {
    std::vector<double> own;   // λ_t Δ_t
    std::vector<double> next;  // (1 - λ_{t+1}) Δ_{t+1}; 0 behind the last token
};

/// Of a mamba3 layer's head. Throws std::out_of_range where the layer has none.
SourceWeights source_weights(const TraceLayer& layer, std::int64_t head);

}  // namespace whorl::trace
