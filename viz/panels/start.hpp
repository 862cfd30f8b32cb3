// The start screen's question: three states have read the same tokens; where does each land at the next one?
//
// Nobody is told before having guessed. Each dial offers three landing points that its own step suggests; which of them
// is right is what the model does, not what is written here.
#pragma once

#include <string>
#include <vector>

#include "viz/panels/dial.hpp"
#include "viz/panels/tape.hpp"

namespace whorl::viz {

/// A place where the state might land.
struct Landing {
    std::string text;  // "half a turn"
    trace::PlanePoint at;
};

struct StartDial {
    Dial before, after;  // without and with the next token
    std::vector<Landing> landings;
    std::size_t right = 0;  // the one nearest to where the state lands
};

struct StartData {
    std::vector<StartDial> dials;
    std::string next;    // the token that is asked about
    std::string asks{};  // what the answers below the dials are about: "How many 1s so far: even (0) or odd (1)?"
    Tape before, after;
};

/// What a step suggests, from its hinge and where the state stands before it: to stay, and two other places by its
/// verb.
std::vector<Landing> landings_of(const trace::StepPieces& step, trace::PlanePoint from);

/// `predicted`: the choice for each dial, -1 for none yet. `shown`: the answers.
plot::Figure start_figure(const StartData& data, const std::vector<int>& predicted, bool shown);

/// "A", "B", "C".
std::string landing_letter(std::size_t which);

}  // namespace whorl::viz
