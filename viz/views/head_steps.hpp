// One head of a Mamba-3 layer through one text, as the step lab's figures take it: its steps, its z = ΔA, what its
// inputs weigh, and its own equation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/trace/trace.hpp"
#include "viz/data/kept.hpp"
#include "viz/panels/error.hpp"
#include "viz/panels/map.hpp"
#include "viz/panels/own_input.hpp"
#include "viz/panels/taps.hpp"

namespace whorl::viz {

struct HeadSteps {
    std::string about;  // where the weights are from
    Trace trace;        // without states
    Kept kept;
    std::vector<std::string> tokens;
    std::vector<double> dt, lambda, a;  // one a token

    const TraceLayer& layer() const { return trace.layers[static_cast<std::size_t>(kept.part.layer)]; }
};

/// Throws UserError naming `view` for a model without Mamba-3 layers, and as find_kept.
HeadSteps head_steps(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const Address& address,
                     const char* view);

/// The sizes Δ|A - iθ| of the kept pair's steps.
ModelSteps model_steps(const HeadSteps& steps);
/// z = Δ(A - iθ) of every pair of every head at each symbol, the kept head apart.
std::vector<ModelPlaces> model_places(const HeadSteps& steps);
/// What each input finally weighs in the kept head.
TapsState taps_of(const HeadSteps& steps);
/// The kept pair's own equation, in the still frame.
OwnInputState own_input_of(const HeadSteps& steps, numerics::Between between);

/// The taps of the first Mamba-2 layer. Throws UserError where there is none.
ConvolutionTaps convolution_of(const Exhibit& exhibit);

}  // namespace whorl::viz
