// The plane of z = ΔA for one rule: how far its factor α(z) is from e^z, where it keeps a state's size, and where a
// model's own steps lie.
#pragma once

#include <complex>
#include <string>
#include <vector>

#include "core/numerics/discretization.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// A model's z = Δ(A - iθ), one per token and pair; equal ones become one dot, its area their number.
struct ModelPlaces {
    std::string label;  // "at a 1"
    std::vector<std::complex<double>> z;
    plot::Shape shape = plot::Shape::disc;
    bool kept = true;  // of the head that keeps the answer: in the model's colour; else in ink
};

/// The part of the plane that is drawn.
inline constexpr double kPlaneLeft = -3.4, kPlaneRight = 1.4, kPlaneTop = 4.2;
/// Steps closer to each other than that share a dot.
inline constexpr double kDotReach = 0.05;

bool in_plane(std::complex<double> z);

/// |α(z) - e^z|, infinite at a pole.
double off_by(numerics::DiscretizationRule rule, std::complex<double> z);

/// `cells` each way; the shade is |α - e^z|, full at 2, where a state lies opposite of where it should.
plot::Panel plane_panel(numerics::DiscretizationRule rule, int cells, const std::vector<ModelPlaces>& model);

}  // namespace whorl::viz
