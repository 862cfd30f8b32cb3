// The dials: what one token does to the state. Several models beside each other on one input, or one of them in both
// its frames with all its pairs.
#pragma once

#include "viz/panels/dial.hpp"
#include "viz/panels/tape.hpp"

namespace whorl::viz {

/// One part of the margin: the other pairs (heads) of the model, small.
struct SmallDial {
    std::string title;  // "pair 3"
    Dial dial;
};

struct DialsData {
    std::vector<Dial> dials;          // one a model
    std::vector<SmallDial> others{};  // of a single model
    Tape tape;
};

plot::Figure dials_figure(const DialsData& data);

}  // namespace whorl::viz
