// A reading that can be forked: feed one token, look, ask something else of a copy, go on.
//
//     Session reading(config, slice, 64);
//     for (token : text) {
//         reading.feed(token);
//         Session asked = reading.fork();   // the same state, read on its own from here
//         asked.feed(equals);               // what would it answer now?
//     }
//
// In double, on one thread of the CPU: what is shown is the exact recurrence, not a device's rounding.
#pragma once

#include <memory>
#include <vector>

#include "core/config/model_config.hpp"
#include "core/model/decoder.hpp"
#include "core/trace/layer_tracer.hpp"
#include "core/trace/trace.hpp"

namespace whorl::trace {

/// Part of what a layer carries from token to token. `head` < 0: all heads; `pair` < 0: the whole head. Of attention
/// `pair` is a cached position, and what is meant are the key and value that the head keeps of it.
struct StatePart {
    std::int64_t layer = 0, head = -1, pair = -1;
    bool operator==(const StatePart&) const = default;
};

class Session {
public:
    /// `slice` as ParameterLayout(config) lays it out; at most `capacity` tokens, forks included.
    Session(const ModelConfig& config, const std::vector<double>& slice, std::int64_t capacity);

    const ModelConfig& config() const;
    std::int64_t position() const { return state_.position; }  // tokens read
    std::int64_t capacity() const { return state_.capacity; }

    /// From here on a trace of the chosen layers is kept; before the first token. Throws as count_trace.
    void follow(const TraceSelection& selection);
    /// Reads one token; returns the logits [V] behind it. Throws std::out_of_range for one outside the vocabulary and
    /// std::logic_error beyond capacity.
    const std::vector<double>& feed(std::int32_t token);
    const std::vector<double>& feed(const std::vector<std::int32_t>& tokens);
    const std::vector<double>& logits() const { return logits_; }

    /// The same reading once more, with what it followed.
    Session fork() const;
    /// Makes this reading equal to `other`, of the same model and capacity, without allocating. For readings that
    /// follow nothing.
    void become(const Session& other);

    /// Puts `twin`'s part in place of this state's own. `twin` has read as many tokens by the same model. A pair of
    /// Mamba-3 brings its angle with it, so that it arrives as it stands in the still frame.
    void replace(const StatePart& part, const Session& twin);
    /// Turns a pair of Mamba-3 on, in radians, as if the next token's Δθ were so much larger. Throws
    /// std::invalid_argument for a part that is no pair or does not turn.
    void turn(const StatePart& pair, double by);
    /// ‖h - h′‖ / ‖h‖ over what all layers carry (still frame; without angles, last inputs and convolutions).
    double distance(const Session& other) const;

    /// What was followed so far; `tokens` of the result are those read since.
    Trace take_trace();

private:
    struct Engine;
    explicit Session(std::shared_ptr<Engine> engine);

    std::shared_ptr<Engine> engine_;
    State state_;
    std::vector<double> logits_;
    std::vector<std::int32_t> tokens_;
    bool following_ = false;
    std::vector<FollowedLayer> followed_;
    Series logit_series_;
};

}  // namespace whorl::trace
