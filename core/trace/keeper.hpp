// Which part of the state keeps the answer? The one that, put in from a twin's reading, changes it most.
//
// Two texts that differ in one token and therefore in their answers are read up to their last token. Then one part of
// the first reading's state (a layer's, a head's, a pair's; of attention one cached position's) is replaced by the
// twin's, the last token is read, and the margin, the right logit less the best wrong one, is compared. A part that
// keeps nothing of the answer leaves it where it was; if all parts are replaced, the answer is the twin's.
//
// This is activation patching; unlike a measure of energy it asks what the rest of the model makes of the part. It is
// exact for one part at a time, but parts may share an answer, and then their changes do not add up.
#pragma once

#include <vector>

#include "core/trace/session.hpp"

namespace whorl::trace {

/// The token of the largest logit, the first of several.
std::int32_t most_likely(const std::vector<double>& logits);

/// The right logit less the best wrong one: above 0 the answer is right.
double margin_of(const std::vector<double>& logits, std::int32_t right);

struct RankedPart {
    StatePart part;
    double margin = 0;  // with the part from the twin
    double change = 0;  // the whole margin less that: how much hangs on the part
    double share = 0;   // of the change when everything is replaced; shares need not sum to 1
};

struct Keepers {
    double margin = 0;               // as the model answers
    double replaced = 0;             // with the twin's whole state
    std::vector<RankedPart> layers;  // each list by share, the largest first
    std::vector<RankedPart> heads;   // of the first layer, or of the one asked for
    std::vector<RankedPart> pairs;   // of the first head, or of the one asked for; attention: its positions
};

/// `tokens` and `twin` are as long as each other (two tokens at least), end in the same token and differ before it;
/// `right` is the answer behind `tokens`. `within`: a layer, and a head of it, to keep to (-1: the first of each list).
/// Throws std::invalid_argument otherwise.
Keepers find_keepers(const ModelConfig& config, const std::vector<double>& slice,
                     const std::vector<std::int32_t>& tokens, const std::vector<std::int32_t>& twin, std::int32_t right,
                     const StatePart& within = {-1, -1, -1});

}  // namespace whorl::trace
