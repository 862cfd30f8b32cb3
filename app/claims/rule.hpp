// A claim of the paper and the rule by which results decide about it: a file of experiments/claims, built into the
// program, written before the results.
//
//     number = 8
//     name = "mimo"
//     statement = "MIMO is better at equal state"
//     source = "Mamba-3, Figure 3"
//     published = "perplexity 14.43 against 14.71"
//     table = "mimo"                          # whose results decide
//     kind = "superiority"                    # as-good-as, order, latency
//     ceiling = { row = "transformer", least = 0.99, columns = ["mqar"] }
//     [[comparisons]]
//     column = "mqar"
//     arm = "mimo4"
//     beside = "siso"
//     least = 0.02
//
// kinds   superiority   the arm is better: one-sided rank test at 1 - confidence, adjusted by Holm within the claim,
// and
//                       a shift of at least `least`
//         as-good-as    the arm is worse by less than `margin`: the bound of the shift at `confidence`. Counts only
//                       where control.better beats control.worse by more than the margin, by the same bound: a test
//                       that sees no difference anywhere shows nothing. (An arm that is worse by more than the margin
//                       is seen to be so without a control.)
//         latency       as-good-as of times; margin is a share of them
//         order         every measured order of `arm` is within `within` of `expected`
//
// Values are those of the metric, better ones larger: scaled accuracy or share found (0 to 1), minus bits, minus the
// logarithm of a time. `ceiling`: where that row's median stays below, the task is beyond models of this size whatever
// their state, and the comparison says nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/config_binding.hpp"

namespace whorl {

enum class ClaimKind { superiority, as_good_as, order, latency };
constexpr auto enum_names(ClaimKind) {
    return std::to_array<EnumName<ClaimKind>>({{ClaimKind::superiority, "superiority"},
                                               {ClaimKind::as_good_as, "as-good-as"},
                                               {ClaimKind::order, "order"},
                                               {ClaimKind::latency, "latency"}});
}

/// Two rows of which the first is known to be better.
struct Control {
    std::string better, worse;
};

struct Ceiling {
    std::string row;
    double least = 0.99;
    std::vector<std::string> columns{};  // it is asked for in; empty: all. Bits have no such bound
};

struct Comparison {
    std::string column, arm, beside;               // keys of the table
    std::optional<std::int64_t> quick_size, size;  // where it is read: default, where the table is
    double least = 0;
    std::optional<double> margin, expected, within;
    std::optional<Control> control;
};

struct ClaimRule {
    std::int64_t number = 0;
    std::string name, statement, source, published, table;
    ClaimKind kind = ClaimKind::superiority;
    double confidence = 0.95;
    std::int64_t fresh_seeds = 12;  // that a cell needs to count; measured orders and times are not seeds
    std::optional<Ceiling> ceiling;
    std::vector<Comparison> comparisons;
    std::string checksum;  // of the file, comments included: xxhsum -H128
};

/// Throws UserError naming file, line and key: for what the kind needs and lacks, or has no use for.
ClaimRule read_rule(const std::string& text, const std::string& source);

}  // namespace whorl
