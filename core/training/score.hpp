// What counts as right: single tokens, and answers of several.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace whorl {

/// Sums over examples. An answer (a needle's value, or a single token where answers are tokens) is found when all of
/// its tokens are right.
struct Score {
    std::int64_t tokens = 0, right = 0;
    std::int64_t answers = 0, found = 0;

    double accuracy() const { return static_cast<double>(right) / static_cast<double>(tokens); }
    double found_share() const { return static_cast<double>(found) / static_cast<double>(answers); }
};

/// Adds one example: `predictions` holds the most likely token of the whole vocabulary at each position of `targets`
/// (looked at where a target is). Supervised positions, in order, form answers of `answer_tokens` each.
inline void add_example(Score& score, std::span<const std::int32_t> targets, std::span<const std::int32_t> predictions,
                        std::int64_t answer_tokens) {
    std::int64_t tokens = 0, right = 0;  // of the answer being read
    for (std::size_t t = 0; t < targets.size(); ++t) {
        if (targets[t] < 0) continue;
        ++tokens;
        right += predictions[t] == targets[t] ? 1 : 0;
        if (tokens < answer_tokens) continue;
        score.tokens += tokens, score.right += right;
        ++score.answers;
        score.found += right == tokens ? 1 : 0;
        tokens = right = 0;
    }
}

/// Hits at the k-th supervised position, of as many examples as have one.
struct PositionHits {
    std::vector<double> right, seen;

    /// Both have a place for each slot; a target of -1 is a slot that is not used.
    void add(std::span<const std::int32_t> targets, std::span<const std::int32_t> predictions) {
        if (right.size() < targets.size()) right.resize(targets.size()), seen.resize(targets.size());
        for (std::size_t k = 0; k < targets.size(); ++k) {
            if (targets[k] < 0) continue;
            seen[k] += 1;
            right[k] += targets[k] == predictions[k] ? 1 : 0;
        }
    }
    std::vector<double> shares() const {
        std::vector<double> result;
        for (std::size_t k = 0; k < seen.size() && seen[k] > 0; ++k) result.push_back(right[k] / seen[k]);
        return result;
    }
};

/// Nats as bits.
inline double bits_of(double nats) {
    return nats / std::log(2.0);
}

}  // namespace whorl
