// The step lab's equation, which the figures `path` and `error` solve: h' = A h + cos 1.3τ from h(0) = 0, with
// A = -decay·(1 + modulation·sin 1.7τ) + i·rotation, over `duration` units of time.
#pragma once

#include <string>
#include <vector>

#include "core/numerics/linear_ode.hpp"
#include "viz/panels/rule_style.hpp"

namespace whorl::viz {

struct StepLab {
    double decay = 0.35;    // -Re A
    double rotation = 2;    // Im A
    double modulation = 0;  // how far the decay moves, as a share of it
    double lambda = 0.5;    // of the exponential trapezoid
    bool held = false;      // as layers do: all input weight on the sample at the step's end
    numerics::SampleAt a_at = numerics::SampleAt::end;
    double dt = 0.8;  // the step that `path` draws and `error` marks
    double duration = 8;
    std::vector<numerics::DiscretizationRule> rules = all_rules();
};

/// Throws UserError for an equation without meaning: a step or duration ≤ 0 or a step that is longer, numbers that are
/// not finite or would not stay so, λ outside 0 … 1, no rule or one twice.
void check(const StepLab& lab);

numerics::LinearOde equation(const StepLab& lab);

/// |A|, with the decay's mean.
double rate(const StepLab& lab);

/// The rule as the lab takes it: with its λ, and held where it says so.
numerics::StepRule step_rule(const StepLab& lab, numerics::DiscretizationRule rule);

/// "h′ = A h + cos 1.3τ, A = −0.35 + 2i", and whatever else is not the default.
std::string description(const StepLab& lab);

}  // namespace whorl::viz
