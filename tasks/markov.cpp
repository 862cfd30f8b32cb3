#include "tasks/markov.hpp"

#include <array>
#include <cmath>

#include "core/numerics/activations.hpp"

namespace whorl {
namespace {

using markov::emissions, markov::kChange, markov::kChanges, markov::kLikeliest, markov::next_weight,
    markov::state_after, markov::symbol_of;

/// P(symbol | state), and P(next state | state).
struct Chain {
    std::array<std::array<double, Markov::kSymbols + 1>, Markov::kStates> says{};
    std::array<std::array<double, Markov::kStates>, Markov::kStates> changes{};

    Chain() {
        for (std::int32_t s = 0; s < Markov::kStates; ++s) {
            const auto state = static_cast<std::size_t>(s);
            std::int32_t weight = kLikeliest;
            for (std::int32_t rank = 0; rank < Markov::kSymbols; ++rank, weight = next_weight(weight))
                says[state][static_cast<std::size_t>(symbol_of(s, rank))] = static_cast<double>(weight) / emissions();
            for (std::int32_t k = 0; k < Markov::kStates; ++k)
                changes[state][static_cast<std::size_t>(state_after(s, k))] =
                    static_cast<double>(kChange >> k) / kChanges;
        }
    }
};

/// P(state | all that was read), before the state speaks.
class Belief {
public:
    Belief() { share_.fill(1.0 / Markov::kStates); }

    /// P(symbol), after which the belief is that of having read it.
    double read(std::size_t symbol) {
        static const Chain chain;
        double total = 0;
        std::array<double, Markov::kStates> next{};
        for (std::size_t s = 0; s < share_.size(); ++s) {
            const double spoke = share_[s] * chain.says[s][symbol];
            total += spoke;
            for (std::size_t to = 0; to < next.size(); ++to) next[to] += spoke * chain.changes[s][to];
        }
        for (std::size_t s = 0; s < share_.size(); ++s) share_[s] = next[s] / total;
        return total;
    }

private:
    std::array<double, Markov::kStates> share_{};
};

/// Where in the text a reader is.
class Filter {
public:
    explicit Filter(const Markov& task) : task_(task) {}

    /// P(token), after which it is read.
    double read(std::int32_t token) {
        if (announced_) {
            announced_ = false, left_ = task_.copy_length;
            return 1.0 / task_.distances;
        }
        if (left_ > 0) {
            --left_, ++said_;
            return 1;
        }
        const double copies = task_.copy_every > 0 && said_ >= task_.distances ? 1.0 / task_.copy_every : 0;
        if (token == Markov::kCopy) {
            announced_ = true;
            return copies;
        }
        ++said_;
        return (1 - copies) * belief_.read(static_cast<std::size_t>(token));
    }

private:
    const Markov& task_;
    Belief belief_;
    bool announced_ = false;  // COPY was read last
    std::int32_t left_ = 0;   // symbols of the copy that are still to come
    std::int64_t said_ = 0;
};

}  // namespace

double Markov::ideal_loss(std::span<const std::int32_t> tokens, std::span<const std::int32_t> targets) const {
    Filter filter(*this);
    filter.read(tokens[0]);
    double loss = 0;
    for (const std::int32_t target : targets) loss -= numerics::log(filter.read(target));
    return loss;
}

std::string Markov::token_text(std::int32_t token) const {
    if (token < 0 || token >= vocabulary()) return "?";
    if (token < kFirst) return "_";
    if (token < kCopy) return std::to_string(token - kFirst);
    return token == kCopy ? "COPY" : "<" + std::to_string(token - kCopy);
}

const char* Markov::about() {
    return "Symbols 0 … 31 of a fixed hidden chain of 8 states: what comes next? Now and then COPY <d announces that "
           "the following copy_length symbols are those that stood d symbols before each (COPY and distances are not "
           "counted). Every token but the first is asked for, in examples of the largest size that is asked for. The "
           "best possible predictor is known, the exact forward filter: results are bits a token, and how many "
           "that is above it on the same examples.";
}

}  // namespace whorl
