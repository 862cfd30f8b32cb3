// Where an exhibit keeps its answer to one text: the layer, head and pair that a figure looks at unless told otherwise.
#pragma once

#include <functional>

#include "core/trace/keeper.hpp"
#include "viz/data/exhibit.hpp"

namespace whorl::viz {

/// What is asked for by number; absent: found by patching.
struct Address {
    std::optional<std::int64_t> layer{}, head{}, pair{};
};

struct Kept {
    trace::StatePart part;
    bool patched = false;    // false: the text has no twin that could tell, and the first of each is taken
    trace::Keepers keepers;  // of the layer and head that were taken, where patched
    /// Of the answer, what hangs on the head that was taken; 0 where nothing was patched.
    double head_share() const;
};

/// Layers that a figure can show; empty: all.
using Suits = std::function<bool(const MixerConfig&)>;

/// Patches the state of `tokens` by that of its twin: the task's, or, without a task, the text with another first
/// token and the model's own answer. Of a long text that can be asked about anywhere only the beginning is read, where
/// models answer best. The layer is the one on which most hangs of those that suit; at least one must. Throws UserError
/// naming --layer, --head or --pair for what the model lacks or what does not suit, and as check_known.
Kept find_kept(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const Address& address = {},
               const Suits& suits = {});

}  // namespace whorl::viz
