// Where a pair made by hand can be taken hold of: points of its dial that move when one of its numbers does.
//
// All are about the last step of one bit: the state's tip (θ, β), a place on what was kept (decay) and on what was
// added (Δ), on what the last token adds (λ), the input itself (x at the direction of B, or v at k), the second
// key, and the direction of C. A handle that nothing would move, or that lies on another, is left out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/data/hand_pair.hpp"

namespace whorl::viz {

struct PairHandle {
    std::string fields;  // what it changes, by the names of number_named: "turn1", "in1+key1"
    std::string label;   // "θ"
    trace::PlanePoint at;
};

/// `rim`: how far out the direction of C has its handle.
std::vector<PairHandle> handles_of(const HandPair& pair, const std::vector<int>& bits, int bit, double rim);

/// Where the handle of one number stands; none where it says a direction alone, or has no place.
std::optional<trace::PlanePoint> handle_place(const HandPair& pair, const std::vector<int>& bits,
                                              const std::string& name);

/// The step that handles of a bit are about: its last one, or the last of all where it was not read.
std::size_t step_of_bit(const std::vector<int>& bits, int bit);

}  // namespace whorl::viz
