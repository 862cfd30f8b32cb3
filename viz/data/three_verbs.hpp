// The models whose weights are set by hand, to look at.
#pragma once

#include "core/model/constructed/constructed.hpp"
#include "viz/data/exhibit.hpp"

namespace whorl::viz {

Exhibit exhibit_of(const ConstructedModel& model);

/// The three that show what a state can do: constructed Mamba-3, sliding Mamba-2, constructed Gated DeltaNet.
std::vector<Exhibit> three_verbs();

}  // namespace whorl::viz
