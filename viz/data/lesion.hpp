// A part of trained weights put out of action, to see what it did. That is a lesion: a model that was trained without
// the part might have found another way, as the paper's retrained ablations may.
#pragma once

#include "viz/data/exhibit.hpp"

namespace whorl::viz {

enum class Lesion {
    none,
    previous,  // λ = 1: what came a token before is not added once more (β = 0)
    bias,      // B's and C's biases are 0
    turn,      // θ = 0
};

/// The exhibit without that part in any of its Mamba-3 layers. Throws UserError where it has none.
Exhibit with_lesion(Exhibit exhibit, Lesion lesion);

}  // namespace whorl::viz
