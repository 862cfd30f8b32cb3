// Error: how far each rule ends from the exact state of the step lab's equation, over the size of its steps. Both axes
// are logarithmic, so that a rule of order p is a line of slope p.
#pragma once

#include <optional>
#include <string>

#include "viz/panels/step_lab.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// The sizes Δ|A - iθ| of a model's own steps, drawn as a band.
struct ModelSteps {
    double low = 0, high = 0;
    std::string label = "the model";
};

/// A rule's slope is measured over its lines' finest three points, at 2048 steps and more. Each line is "rule id"; one
/// that is exact up to rounding, or no number anywhere, is left out and named in the words. Throws as check(lab), and
/// UserError for a band that is not 0 < low ≤ high.
plot::Figure error_figure(const StepLab& lab, const std::optional<ModelSteps>& model = {});

}  // namespace whorl::viz
