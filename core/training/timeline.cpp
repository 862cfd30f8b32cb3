#include "core/training/timeline.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace whorl {
namespace {

constexpr std::int64_t kEveryStepUpTo = 50;

}  // namespace

std::int64_t frames_due(std::int64_t step) {
    if (step <= kEveryStepUpTo) return step;
    std::int64_t count = kEveryStepUpTo, due = kEveryStepUpTo;
    while ((due += due / 25) <= step) ++count;
    return count;
}

std::vector<std::int64_t> steps_due(std::int64_t last) {
    std::vector<std::int64_t> steps;
    for (std::int64_t step = 0; step <= last; step += step < kEveryStepUpTo ? 1 : step / 25) steps.push_back(step);
    return steps;
}

// Of each slot the first frame is kept: a device that takes several steps at once may pass the very step.
std::int64_t Timeline::slot(std::int64_t step) const {
    return frames_due(step) >> coarseness_;
}

bool Timeline::is_due(std::int64_t step) const {
    return frames_.empty() || slot(step) > slot(frames_.back().step);
}

void Timeline::follow(const Trainer& trainer) {
    const std::int64_t step = trainer.steps_done();
    if (!frames_.empty() && step <= frames_.back().step) return;
    if (!is_due(step) && !trainer.finished()) return;
    Frame frame{step, {}};
    for (const std::size_t replica : replicas_) {
        const std::vector<float> slice = trainer.parameters(replica);
        frame.parameters.insert(frame.parameters.end(), slice.begin(), slice.end());
    }
    add(std::move(frame), trainer.finished());
}

void Timeline::add(Frame frame, bool last) {
    if (!is_due(frame.step) && !last) return;
    const auto bytes = static_cast<std::int64_t>(frame.parameters.size() * sizeof(float));
    const std::int64_t most = std::min(limits_.frames, limits_.bytes / std::max<std::int64_t>(bytes, 1));
    if (most < 2)
        throw UserError("a timeline holds at least two frames: these take " + std::to_string(2 * bytes) +
                        " bytes, its limit is " + std::to_string(limits_.bytes) + "; choose fewer replicas");
    // The last one may have stayed for no other reason than being the newest.
    if (frames_.size() > 1 && slot(frames_.back().step) == slot(frames_[frames_.size() - 2].step)) frames_.pop_back();
    frames_.push_back(std::move(frame));
    thin(most);
}

void Timeline::thin(std::int64_t most) {
    while (static_cast<std::int64_t>(frames_.size()) > most) {
        ++coarseness_;
        std::vector<Frame> kept;
        for (Frame& frame : frames_)
            if (kept.empty() || &frame == &frames_.back() || slot(frame.step) > slot(kept.back().step))
                kept.push_back(std::move(frame));
        frames_ = std::move(kept);
    }
}

const Timeline::Frame& Timeline::at(std::int64_t step) const {
    const auto later = std::upper_bound(frames_.begin(), frames_.end(), step,
                                        [](std::int64_t s, const Frame& frame) { return s < frame.step; });
    return later == frames_.begin() ? frames_.front() : *(later - 1);
}

std::span<const float> Timeline::slice(const Frame& frame, std::size_t which) const {
    const std::size_t size = frame.parameters.size() / replicas_.size();
    return std::span<const float>(frame.parameters).subspan(which * size, size);
}

}  // namespace whorl
