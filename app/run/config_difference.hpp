// Which keys two configs differ in.
#pragma once

#include <string>
#include <vector>

#include "core/config/value.hpp"

namespace whorl {

struct KeyDifference {
    std::string key;   // dotted path, such as model.config.layers[0].d_state
    std::string a, b;  // the values as JSON; "nothing" for a key that is not there
};

/// All keys in which the tables a and b differ, in a's order, then those of b alone.
std::vector<KeyDifference> config_differences(const Value& a, const Value& b);

/// "batch: 64 there, 128 here; steps: …" for one line of an error.
std::string difference_text(const std::vector<KeyDifference>& differences);

}  // namespace whorl
