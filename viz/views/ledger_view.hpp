// Exhibits read one text of a sum, and their angles are booked.
#pragma once

#include <map>
#include <string>

#include "viz/data/kept.hpp"
#include "viz/panels/ledger.hpp"

namespace whorl::viz {

/// What a token adds to the sum that the task asks for.
struct Owed {
    std::int64_t modulus = 2;
    std::vector<std::int64_t> addend;  // of each token; PAD and the like 0
    std::string unit;                  // "bits"
};
/// Empty for a task whose answer is no sum of its tokens.
std::optional<Owed> owed_by(const Task& task);

/// Angles changed by hand, degrees by token as the task writes it: θ of the kept pair is changed so that it turns so
/// much further at each of it in the kept head, and the model answers with that.
using FurtherTurns = std::map<std::string, double>;

/// `trained_size` 0: not known. Throws UserError for a token of `further` that the task does not have, for a model
/// without Mamba-3 layers that turn by their data, or a task whose answer is no sum, naming the figures that it can
/// have, for models of sums with other moduli; and as find_kept.
LedgerData make_ledger(const std::vector<Exhibit>& exhibits, const std::vector<std::int32_t>& tokens,
                       std::int64_t trained_size, const Address& address = {}, const FurtherTurns& further = {});

}  // namespace whorl::viz
