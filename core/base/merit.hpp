// Which of several trained models is the best: the one rule behind `--replica best`, the tables of `reproduce`, `sweep`
// and `report`, and the learning rates that a piece trains on with.
//
// Models are ranked by what VALIDATION says at the LARGEST validated size: the higher accuracy first, among equals the
// lower loss there, among those the first.
//
// Why the largest size, not the mean over all: a table claims how far a model goes beyond the sizes it was trained at,
// and recipes end their validation sizes where their table is read. A mean also counts the sizes that most models
// master, where a percent is worth nothing, and lets it outweigh the size that the claim is about.
//
// Why accuracy first and loss only among equals: accuracy is what tables show, and beyond the trained sizes the loss of
// a model that is mostly right rises with its confidence. Equals are common at 100 %, where the loss still tells how
// firmly a model is right.
//
// Where results are bits a token (language), the lower loss is all that counts.
//
// Noise: an accuracy counted over n examples has a standard deviation of at most 0.5/√n (2.2 % of 512). Two models
// closer than that are chosen between by luck, and where nothing leaves chance at the largest size every choice is
// luck. It biases no number that is shown: those are of the test split, which chooses nothing.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace whorl {

/// Validation at one size. Means over several seeds rank settings by the same rule.
struct Merit {
    double accuracy = 0, loss = 0;
    bool in_bits = false;  // the same for all that are compared
};

/// True when `a` ranks before `b`: a strict weak order, in which an accuracy or a loss that is NaN comes last.
inline bool better(const Merit& a, const Merit& b) {
    const auto accuracy = [](const Merit& m) { return std::isnan(m.accuracy) ? -1 : m.accuracy; };
    const auto loss = [](const Merit& m) {
        return std::isnan(m.loss) ? std::numeric_limits<double>::infinity() : m.loss;
    };
    if (a.in_bits) return loss(a) < loss(b);
    return accuracy(a) != accuracy(b) ? accuracy(a) > accuracy(b) : loss(a) < loss(b);
}

/// The position of the size that ranks, the largest one; 0 for none.
inline std::size_t ranking_size(const std::vector<std::int64_t>& sizes) {
    std::size_t largest = 0;
    for (std::size_t i = 1; i < sizes.size(); ++i)
        if (sizes[i] > sizes[largest]) largest = i;
    return largest;
}

/// The position of the best; 0 for none.
inline std::size_t best_of(const std::vector<Merit>& merits) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < merits.size(); ++i)
        if (better(merits[i], merits[best])) best = i;
    return best;
}

}  // namespace whorl
