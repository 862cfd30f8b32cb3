// Taps: what each input finally weighs in Mamba-3's state. Its own step adds it with λ_tΔ_t, and the next step once
// more with (1 - λ_{t+1})Δ_{t+1}, so that the next token co-decides. Beside it, where a Mamba-2 is given, the four taps
// of the convolution that its inputs go through.
#pragma once

#include <string>
#include <vector>

#include "core/trace/source_weights.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// The taps of a causal convolution: one list a channel, the oldest input's first, all of one length.
struct ConvolutionTaps {
    std::vector<std::vector<double>> channels;
    std::string label = "Mamba-2";
};

struct TapsState {
    std::vector<std::string> tokens;  // one a step
    trace::SourceWeights weights;     // of one head, one a token
    std::string head{};               // "head 1 of layer 0"
    ConvolutionTaps convolution{};
};

/// Throws UserError for no token, lists that differ in length, or a number that is not finite.
plot::Figure taps_figure(const TapsState& state);

}  // namespace whorl::viz
