// The sandbox: one pair of channels made by hand, on its dial with handles, what is read of it, and how well it counts.
//
// Neighbouring values of the number under change stand behind the pair as a fan of ghosts: what a little more or less
// of it would have done with the same bits.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "viz/data/hand_pair.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

/// The pair with another value of the number under change.
struct GhostPair {
    std::string label;  // "θ = 155°"
    HandPair pair;
};

struct SandboxData {
    HandPair pair;
    std::string about;  // where it is from
    int modulus = 2;    // ones are counted mod this; 1: nothing is counted
    int bit = 1;        // whose handles are shown
    bool challenge = false;
    std::vector<int> bits;  // read, one at least
    std::size_t span = 0;   // bits of the whole text; 0: as many
    std::vector<GhostPair> ghosts{};
};

/// What one bit does, in words: "turns by 180°, adds 2 at 180°".
std::string what_happens(const HandPair& pair, int bit);

plot::Figure sandbox_figure(const SandboxData& data);

}  // namespace whorl::viz
