// What a task is. Each is a file of its own here (parity.hpp), listed in registry.hpp.
//
// A task is a struct of plain parameters with
//     static constexpr int kVersion            raised when the examples of a key change
//     std::int64_t vocabulary() const          tokens 0 … vocabulary-1, 0 is PAD (and, in a few tasks, a blank)
//     double chance() const                    accuracy of guessing
//     std::int64_t min_size() const            the smallest size it can make
//     std::int64_t positions(size) const       input positions of an example of that size, at most
//     std::int64_t slots(length) const         supervised positions among `length` positions, at most
//     std::int64_t answers() const             answers in every example, 0 where it depends on the length
//     std::int64_t answer_tokens() const       supervised positions that make one answer, in a row (score.hpp)
//     WHORL_HD generate(key, view) const       writes one example: pure, bounded, without recursion
//     std::string token_text(token) const      how people write a token
//     static const char* about()               its first sentence is what `whorl tasks` lists
// and, where the next token is foretold and results are bits a token,
//     static constexpr bool kInBits = true
//     double ideal_loss(tokens, targets) const nats that the best possible predictor loses on an example, if one is
//     known
// and, where tokens below each other are not how people would write an example,
//     std::string example_text(example) const  one line; empty when its options ask for more than a line can show
// beside config_type (its name) and describe (its parameters). Tests bring an evaluator that shares no code with
// generate. Tasks that read a stream of symbols take most of this from stream.hpp.
#pragma once

#include <array>

#include "core/config/config_binding.hpp"
#include "core/numerics/host_device.hpp"
#include "tasks/sample.hpp"

namespace whorl {

inline constexpr std::int32_t kPad = 0;            // never a target
inline constexpr std::int32_t kUnsupervised = -1;  // a target where nothing is asked
inline constexpr std::int64_t kLargestTaskSize = 1 << 20;

/// Where answers are asked for: at the last position only (the published protocol), or at every prefix (easier: another
/// protocol).
enum class Supervise { last, all };
constexpr auto enum_names(Supervise) {
    return std::to_array<EnumName<Supervise>>({{Supervise::last, "last"}, {Supervise::all, "all"}});
}

/// (accuracy - chance) / (1 - chance): 0 for guessing, 1 for perfect, negative below chance. Not clipped.
constexpr double scaled_accuracy(double accuracy, double chance) {
    return (accuracy - chance) / (1 - chance);
}

/// Fills positions [used, capacity) with PAD and no target.
WHORL_HD constexpr void pad_sample(const SampleView& out, std::int64_t used) {
    for (std::int64_t t = used; t < out.capacity; ++t) out.tokens[t] = kPad, out.targets[t] = kUnsupervised;
}

/// A size from the key's range, each equally likely.
WHORL_HD constexpr std::int64_t draw_size(Random& random, const SizeRange& sizes) {
    return sizes.min + random.below(static_cast<std::uint32_t>(sizes.max - sizes.min + 1));
}

}  // namespace whorl
