// Where a head's and a pair's numbers lie in what the CPU's operations carry from token to token (double, one
// sequence).
//
//   mamba3   [head]: φ [S] | h [N,P] | B̄ [rank,N] | x [rank,P], the state channels in rotation order: pair j < S is
//            (j, S + j), the channels that do not turn follow
//   mamba2   [head]: h [N,P]              gated_delta_net  [head]: S [K,V]
//   attention [position]: keys [head,K] | values [head,K]
#pragma once

#include "core/config/model_config.hpp"
#include "core/model/language_model.hpp"
#include "core/trace/state_math.hpp"

namespace whorl::trace {

/// Heads of a layer that carry a state of their own, and their parts: pairs of channels, or positions up to `position`.
struct Parts {
    std::int64_t heads = 0, pairs = 0;
};
Parts parts_of(const MixerConfig& mixer, std::int64_t d_model, std::int64_t position);

/// Copies one part; `head` and `pair` as in StatePart, `pair` < 0 with an attention layer: the whole cache.
void copy_part(const MixerConfig& mixer, std::int64_t d_model, std::int64_t head, std::int64_t pair,
               std::int64_t position, const MixerState& from, const MixerState& to);

/// Adds to the angle φ of one Mamba-3 pair. Throws std::invalid_argument where there is none.
void turn_pair(const MixerConfig& mixer, std::int64_t d_model, std::int64_t head, std::int64_t pair, double by,
               const MixerState& state);

/// All that the layer holds of the past, in the still frame: h of every head (Mamba-3: Rot(-φ) h), or keys and values
/// of the positions read.
Numbers held(const MixerConfig& mixer, std::int64_t d_model, std::int64_t position, const MixerState& state);

}  // namespace whorl::trace
