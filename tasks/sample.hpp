// How one training example is named and where it is written: plain data, for host and device alike.
#pragma once

#include <cstdint>

#include "core/base/philox.hpp"

namespace whorl {

/// Disjoint sources of random numbers: no example of one split comes from the numbers of another.
enum class Split { train, validation, test };

WHORL_HD constexpr Purpose purpose_of(Split split) {
    return split == Split::train        ? Purpose::train_data
           : split == Split::validation ? Purpose::validation_data
                                        : Purpose::test_data;
}

/// A "size" as in the literature: it counts the answer's slot, which is never an input.
struct SizeRange {
    std::int64_t min = 1, max = 1;
};

/// Names one example for ever: the same key gives the same example on every machine. `step` is the training step; for
/// evaluation it is the size that is evaluated, so that sizes do not share their beginnings. `index` is the place in
/// the batch.
struct SampleKey {
    std::uint64_t seed = 0;
    Split split = Split::train;
    std::uint64_t step = 0;
    std::uint64_t index = 0;
    SizeRange sizes;
    DrawnWords drawn = {};  // of random()

    WHORL_HD constexpr Random random() const { return {seed, purpose_of(split), step, index, drawn}; }
};

/// Where a task writes: `capacity` positions each. All of them are written; behind the example tokens are PAD and
/// targets -1. targets[t] is the token to predict at position t, -1 where nothing is supervised.
struct SampleView {
    std::int32_t* tokens = nullptr;
    std::int32_t* targets = nullptr;
    std::int64_t capacity = 0;
};

/// One sequence's share of a batch's slots (Supervision).
struct SlotView {
    std::int32_t* row_of = nullptr;
    std::int32_t* target = nullptr;
    std::int64_t count = 0;
};

/// Gives the sample's supervised positions slots, in order, as many as there are; position t is the batch's row
/// first + t. A slot that is left over gets row -1 and target 0.
WHORL_HD constexpr void fill_slots(const SampleView& sample, std::int64_t first, const SlotView& slots) {
    std::int64_t used = 0;
    for (std::int64_t t = 0; t < sample.capacity && used < slots.count; ++t) {
        if (sample.targets[t] < 0) continue;
        slots.row_of[used] = static_cast<std::int32_t>(first + t);
        slots.target[used++] = sample.targets[t];
    }
    for (; used < slots.count; ++used) slots.row_of[used] = -1, slots.target[used] = 0;
}

}  // namespace whorl
