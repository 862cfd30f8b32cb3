// How far a rule turns a state in one step, next to the angle that the equation asks for.
#pragma once

#include <complex>
#include <string>
#include <vector>

#include "core/numerics/discretization.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// α(z): the rule's factor for a step of z = ΔA. λ has no part in it.
std::complex<double> factor(numerics::DiscretizationRule rule, std::complex<double> z);

/// The angle by which α(iy) has turned on the way from y = 0, in radians, past half a turn if it goes there.
double turned_angle(numerics::DiscretizationRule rule, double y);

/// The angle, in radians, that a rule nears for ever longer steps without decay but does not reach; infinite for a rule
/// that turns past half a turn.
double limit_of_turning(numerics::DiscretizationRule rule);

/// The angle of α over Im z without decay: one line for the rules that turn alike, `chosen` drawn out.
plot::Panel turning_panel(numerics::DiscretizationRule chosen);
/// Its words: how far each group turns where half a turn is asked for.
std::vector<std::string> turning_words();

}  // namespace whorl::viz
