// By how much each token turned the state at each moment of a training, read off the parameters of that moment.
#pragma once

#include <optional>
#include <vector>

#include "viz/data/kept.hpp"
#include "viz/panels/training.hpp"

namespace whorl::viz {

/// Parameters of a replica at a step: [slice].
struct Moment {
    std::int64_t step = 0;
    std::vector<double> slice;
};

inline constexpr std::size_t kMostPairs = 4;

/// Of the first layer's head that keeps the answer in the end, or of the one asked for, the pairs on which most hangs
/// (find_kept): four, or the one asked for. `exhibit`'s own weights are not looked at, those of the last moment are.
/// Empty where tokens turn nothing by themselves: the first layer is none of Mamba-3, does not turn by its data, or
/// mixes positions by a convolution; and for less than two moments.
std::optional<TurnHistory> turn_history(const Exhibit& exhibit, const std::vector<Moment>& moments,
                                        const Address& address = {});

/// Turns of every pair of one head of the first layer at every token of `tokens`, [token][pair], degrees, with these
/// parameters: Δθ, which depends on nothing else there.
std::vector<std::vector<double>> turns_of(const ModelConfig& config, const std::vector<double>& slice,
                                          const std::vector<std::int32_t>& tokens, std::int64_t head);

}  // namespace whorl::viz
