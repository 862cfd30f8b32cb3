// Cycle navigation: where does a walk on a cycle end, that begins at position 0 and at each step stays, goes one ahead
// or one back?
//
// Tokens: 0 PAD, 1 stay, 2 one ahead, 3 one back, 4+p the position p of 0 … cycle-1 (and, with `bos`, 4+cycle the
// beginning of the sequence). An example of size s has s-1 uniform steps; the answer, a position, is asked for at the
// last one (supervise = all: at every step, for its prefix). Positions are never inputs.
#pragma once

#include "tasks/stream.hpp"

namespace whorl {

struct CycleNavigation : StreamOptions {
    static constexpr int kVersion = 1;
    static constexpr std::int32_t kStay = 1, kAhead = 2, kBack = 3, kPosition = 4;

    std::int32_t cycle = 5;  // positions on it

    std::int64_t vocabulary() const { return kPosition + cycle + (bos ? 1 : 0); }
    double chance() const { return 1.0 / cycle; }
    WHORL_HD constexpr std::int64_t generate(const SampleKey& key, const SampleView& out) const;
    std::string token_text(std::int32_t token) const;
    static const char* about();
};

constexpr const char* config_type(const CycleNavigation&) {
    return "cycle_navigation";
}

template <class V>
void describe(V& v, CycleNavigation& c) {
    v.field("cycle", c.cycle, range(2, 1000));
    describe_stream(v, c, 2);
}

struct CycleTrack {
    std::int32_t cycle;
    std::int32_t position = 0;
    /// step: 0 stay, 1 ahead, 2 back.
    WHORL_HD constexpr std::int32_t read(std::int32_t step) {
        position = (position + (step == 2 ? cycle - 1 : step)) % cycle;
        return CycleNavigation::kPosition + position;
    }
};

WHORL_HD constexpr std::int64_t CycleNavigation::generate(const SampleKey& key, const SampleView& out) const {
    return generate_stream(key, out, *this, {kStay, 3, kPosition + cycle}, CycleTrack{cycle});
}

}  // namespace whorl
