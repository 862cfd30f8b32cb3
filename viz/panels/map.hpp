// Map: what one rule makes of every z = ΔA. A step should multiply the state by e^z; the rule multiplies it by α(z).
//
// Left, the plane of z: |α - e^z| as shade, the line |α| = 1 that parts decay from growth, and a model's own z as dots.
// Right, how far α turns for a z on the imaginary axis, for all rules: whether half a turn a step is in reach.
#pragma once

#include <vector>

#include "viz/panels/plane.hpp"
#include "viz/panels/rule_style.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

struct MapState {
    numerics::DiscretizationRule rule = numerics::DiscretizationRule::bilinear;
    int cells = 200;  // each way
    std::vector<ModelPlaces> model{};
    std::vector<double> lambda{};  // the model's, as a strip below; empty: none
};

/// Throws UserError for fewer than 2 or more than 1000 cells, or a z or λ that is not finite.
plot::Figure map_figure(const MapState& state);

/// The planes of all rules beside each other, one for those with the same factor. Throws as map_figure for the cells.
plot::Figure rule_maps_figure(int cells = 100);

}  // namespace whorl::viz
