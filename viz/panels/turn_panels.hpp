// By how much each token turns the pairs of a head, over the steps of a training.
#pragma once

#include <string>
#include <vector>

#include "viz/panels/training.hpp"

namespace whorl::viz {

/// The token whose pairs end furthest from where they began to be counted, 0°: the one that turns most in the end.
std::size_t most_turning(const TurnHistory& turns);

/// All tokens in one panel; where the turns that are owed are known, above it one that zooms in on the largest of them.
std::vector<plot::Panel> turn_panels(const TurnHistory& turns, plot::Role role);

/// "In the end a 1 turns pair 3 by 180.1°, pair 0 by …"
std::vector<std::string> turn_sentences(const TurnHistory& turns);

}  // namespace whorl::viz
