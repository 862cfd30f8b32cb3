// The angle ledger: where does length generalisation break? What each pair has turned less what it owed, position after
// position, and below it the margin that the model's answer has.
//
// A sum mod m owes 2πkd/m to a digit d, for some k that the pair has chosen. Pairs of one head share the answer, so one
// may be off by more than half way to the next answer long before the first mistake, or long after.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "viz/plot/figure.hpp"

namespace whorl::viz {

struct LedgerPair {
    std::int64_t pair = 0;
    double share = 0;                   // of the answer, by patching
    std::vector<double> drift;          // degrees, behind each token: turned less owed
    std::vector<double> by_token;       // degrees in all, for each entry of LedgerModel::symbols
    std::vector<double> turn_of_token;  // degrees, the mean turn at each symbol
    std::vector<double> as_is{};        // the drift without what was changed by hand; empty: nothing was
};

struct LedgerModel {
    std::string name, about;
    plot::Role role = plot::Role::mamba3;
    std::vector<LedgerPair> pairs;     // the one that keeps most first
    std::vector<std::string> symbols;  // that occur in the text, as the task writes them
    std::vector<std::size_t> text{};   // which of them each token is
    std::vector<double> margin;        // behind each token: the right logit less the best wrong one
};

struct LedgerData {
    std::vector<LedgerModel> models;
    std::size_t length = 0;
    std::size_t span = 0;  // positions that the axis has; 0: as many
    std::int64_t modulus = 2;
    std::string unit = "bits";           // what positions count
    std::int64_t trained_size = 0;       // 0: not known
    std::string changed{};               // "each 0 turned 1.2° less": by hand, of the pair that keeps most
    std::vector<std::string> handles{};  // of the first split: the control of each symbol's turn, "" for none
};

/// One model: its pairs, split by token, and its margin. Several: the pair of each that keeps most.
plot::Figure ledger_figure(const LedgerData& data);

/// The same as far as `count` tokens, at least one, with room for all of them. LedgerModel::text must be there.
LedgerData first_tokens(LedgerData data, std::size_t count);

/// The first position (from 1) whose answer is wrong; 0: none.
std::size_t first_wrong(const LedgerModel& model);
/// The first position at which the pair is off by more than `degrees`, from where on; 0: never.
std::size_t first_beyond(const LedgerPair& pair, double degrees);

}  // namespace whorl::viz
