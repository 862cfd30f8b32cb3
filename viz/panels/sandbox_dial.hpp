// The sandbox's dial: the pair's state, its ghosts, the mirrors of two flips, and the handles.
#pragma once

#include "viz/panels/sandbox.hpp"

namespace whorl::viz {

plot::Role role_of(PairKind kind);

/// Square about the origin; its width grows in steps, so that it does not move under a hand.
plot::Panel sandbox_dial(const SandboxData& data);

/// What the last step of the bit that is looked at does, in a sentence.
std::string sandbox_sentence(const SandboxData& data);

}  // namespace whorl::viz
