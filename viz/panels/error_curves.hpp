// The errors that the figure `error` draws: of each rule, at ever shorter steps.
#pragma once

#include <cmath>
#include <vector>

#include "viz/panels/step_lab.hpp"

namespace whorl::viz {

/// Numbers of steps, two to an octave, from steps as long as a third of the time down to where every order shows.
inline const std::vector<int> kErrorSteps = {3,   4,   6,   8,   11,  16,  23,   32,   45,   64,   91,
                                             128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 2896, 4096};

struct ErrorCurve {
    numerics::DiscretizationRule rule;
    std::vector<plot::Point> points;  // Δ|A|, |h(T) - exact|, from long steps to short ones; where that is a number
    double slope = 0;
    bool exact = false;  // up to rounding, at every step that was tried

    /// Without points and not exact, the rule or the equation itself leaves the numbers at every step.
    bool of_order(double order) const { return !points.empty() && std::fabs(slope - order) < 0.1; }
};

/// One for each of the lab's rules.
std::vector<ErrorCurve> error_curves(const StepLab& lab);

}  // namespace whorl::viz
