// h'(τ) = A(τ) h(τ) + u(τ) with A constant over each step: the equation that a layer's own Δ, A and inputs stand for.
//
// Step k has the length dt[k] and A = a[k]; input[k] is u at its end, where the layer reads its token. What u does
// between two tokens nobody has said, so the reader chooses: held at the step's last sample, for which zero-order hold
// is exact, or straight from the sample before, for which first_order_hold is. Before the first step u is
// `input_before`, 0 in a layer. Host only, in double; dt in the layer's units of time, a in their inverse.
#pragma once

#include <vector>

#include "core/numerics/linear_ode.hpp"

namespace whorl::numerics {

enum class Between { held, straight };

/// dt, a and input have one entry per step. a = A - iθ for one pair of Mamba-3.
struct PiecewiseOde {
    std::vector<double> dt;
    std::vector<Complex> a;
    std::vector<Complex> input;
    Between between = Between::held;
    Complex input_before = 0;
    Complex initial = 0;
};

/// Throws std::logic_error where the lengths differ or a dt is negative or not finite.
void check(const PiecewiseOde& ode);

/// h at the ends of all steps, the initial value first: steps + 1 states, exact up to rounding. All throw as check().
std::vector<Complex> exact_states(const PiecewiseOde& ode);

/// h inside the steps, too, at the shares 0 (once), 1/points, 2/points … 1 of each step: steps·points + 1 states.
std::vector<Complex> exact_path(const PiecewiseOde& ode, int points);

/// The same steps by `rule` from the same samples. `lambda`, one a step, matters to exponential_trapezoid only; empty:
/// ½ in all. Throws std::logic_error for another number of them.
std::vector<Complex> integrate(const PiecewiseOde& ode, DiscretizationRule rule,
                               const std::vector<double>& lambda = {});

}  // namespace whorl::numerics
