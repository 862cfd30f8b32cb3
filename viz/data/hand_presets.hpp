// Pairs to begin with in the sandbox.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "viz/data/hand_pair.hpp"

namespace whorl::viz {

enum class Preset { half_turn, no_turn, quarter_turn, number, slide, flip, two_flips, trained };

struct PresetPair {
    HandPair pair;
    int modulus = 2;    // ones are counted mod this; 1: nothing is counted
    std::string about;  // "half a turn at a 1"
    int bit = 1;        // the one to look at
};

/// Their names, in the order of the enumeration.
const std::vector<const char*>& preset_names();

/// The trained one is the pair on which most of parity-mamba3-smoothed's answer hangs, its numbers read off a trace
/// when it is first asked for; the others are written down.
const PresetPair& preset_pair(Preset preset);

/// What a control of the sandbox (viz/state/controls.hpp) begins with: a number of the pair, `kind`, `modulus` or
/// `bit`. Throws std::logic_error for any other name.
double preset_value(Preset preset, const std::string& name);

}  // namespace whorl::viz
