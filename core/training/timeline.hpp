// The parameters of some replicas over a training: what a view needs to go back and forth in time.
//
// A frame is taken at every step up to 50, then whenever the steps have grown by 4 %: what changes fast changes early.
// When that makes more frames than the limits allow, every other one goes, and from there on twice as much must have
// passed: what is left is spread as evenly as before. The first frame and the newest always stay.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/training/trainer.hpp"

namespace whorl {

struct TimelineLimits {
    std::int64_t frames = 200;
    std::int64_t bytes = std::int64_t{80} << 20;
};

class Timeline {
public:
    /// `replicas` of the trainer's population, in the order in which frames hold them.
    explicit Timeline(std::vector<std::size_t> replicas, const TimelineLimits& limits = {})
        : replicas_(std::move(replicas)), limits_(limits) {}

    /// To be called before the first step and after every one, or after those that a device takes at once. Takes a
    /// frame when one is due or the training has finished; changes nothing of the trainer.
    void follow(const Trainer& trainer);

    struct Frame {
        std::int64_t step = 0;
        std::vector<float> parameters;  // replica after replica, a slice each
    };

    /// A frame from elsewhere, such as a checkpoint, of a later step than the last. It is kept as if it were due, or
    /// with `last` in any case. Throws UserError when the limits do not hold two frames.
    void add(Frame frame, bool last = false);

    const std::vector<std::size_t>& replicas() const { return replicas_; }
    /// Steps ascend.
    const std::vector<Frame>& frames() const { return frames_; }
    /// The last frame that is not of a later step; the first one when all are. There must be one.
    const Frame& at(std::int64_t step) const;
    /// The parameters of replicas()[which] in a frame: [slice].
    std::span<const float> slice(const Frame& frame, std::size_t which) const;

private:
    std::int64_t slot(std::int64_t step) const;
    bool is_due(std::int64_t step) const;
    void thin(std::int64_t most);

    std::vector<std::size_t> replicas_;
    TimelineLimits limits_;
    std::vector<Frame> frames_;
    int coarseness_ = 0;  // of the frames that would be due, one in 2^coarseness is
};

/// How many frames are due up to a step, its own included, less one: 0 … 50 for the first steps, then one for every
/// 4 %.
std::int64_t frames_due(std::int64_t step);

/// Those steps, from 0 to `last` at most.
std::vector<std::int64_t> steps_due(std::int64_t last);

}  // namespace whorl
