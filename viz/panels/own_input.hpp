// Own input: a layer's own Δ, A and inputs read as a differential equation, and how far each rule is from it. Tokens
// have no in-between; whether the input is held or straight there is the reader's choice, which the claim names.
#pragma once

#include <complex>
#include <string>
#include <vector>

#include "core/numerics/piecewise_ode.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// One pair of one head, in the still frame. All lists have one entry a token.
struct OwnInputState {
    std::vector<std::string> tokens;
    std::vector<double> dt;
    std::vector<std::complex<double>> a;      // A - iθ
    std::vector<std::complex<double>> input;  // B x of the pair, as one complex number
    std::vector<double> lambda;               // of the model's own rule
    numerics::Between between = numerics::Between::held;
    std::string place{};  // "layer 0, head 1, pair 3"
};

/// Re h over the tokens, each step drawn equally long whatever its Δ, and below it each rule's distance from the exact
/// state. The exponential trapezoid takes the model's λ: it is what the model computes. Throws UserError for no token,
/// lists that differ in length, a Δ < 0, a λ outside 0 … 1, or a number that is not finite.
plot::Figure own_input_figure(const OwnInputState& state);

}  // namespace whorl::viz
