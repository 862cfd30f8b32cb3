// What results say about a claim, by its rule. Pure: from numbers to a verdict.
//
//     shown               every comparison that counts holds, none is missing
//     partly              some hold
//     contradicted        none holds, and one at least is the other way round, by the same test
//     not at this scale   neither: the results do not tell, or no comparison counts
//     no results yet      nothing was measured
//     rule is newer       results were made without this rule, or before it was changed: they cannot be judged by it
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/claims/rule.hpp"
#include "app/statistics/shift.hpp"

namespace whorl {

enum class Verdict { shown, partly, not_at_this_scale, contradicted, no_results, rule_is_newer };
constexpr auto enum_names(Verdict) {
    return std::to_array<EnumName<Verdict>>({{Verdict::shown, "shown"},
                                             {Verdict::partly, "partly"},
                                             {Verdict::not_at_this_scale, "not at this scale"},
                                             {Verdict::contradicted, "contradicted"},
                                             {Verdict::no_results, "no results yet"},
                                             {Verdict::rule_is_newer, "rule is newer"}});
}

/// holds; reversed: significantly the other way round; undecided; silent: says nothing about the claim, as the ceiling
/// row fails or the control sees no difference; missing: no or too few results; absent: not asked in this profile, and
/// no part of its verdict.
enum class Finding { holds, reversed, undecided, silent, missing, absent };
constexpr auto enum_names(Finding) {
    return std::to_array<EnumName<Finding>>({{Finding::holds, "holds"},
                                             {Finding::reversed, "reversed"},
                                             {Finding::undecided, "undecided"},
                                             {Finding::silent, "says nothing"},
                                             {Finding::missing, "missing"},
                                             {Finding::absent, "not in this profile"}});
}

/// One value a fresh seed (or measurement), better ones larger.
using CellValues = std::vector<double>;
/// The values of a row in a comparison's column and size; empty where there are none.
using CellSource = std::function<std::optional<CellValues>(const Comparison& comparison, const std::string& row)>;

struct ComparisonResult {
    Finding outcome = Finding::missing;
    std::size_t arm_values = 0, beside_values = 0;
    double arm = 0, beside = 0;           // medians
    std::optional<double> p, p_reversed;  // one-sided, adjusted by Holm
    std::optional<ShiftBounds> shift;     // of the arm above the other row
    std::optional<ShiftBounds> control;   // of the better control above the worse
    std::optional<double> ceiling;        // the ceiling row's median
};

struct ClaimResult {
    Verdict verdict = Verdict::no_results;
    std::vector<ComparisonResult> comparisons;  // as in the rule

    std::size_t count(Finding outcome) const;
    std::size_t asked() const { return comparisons.size() - count(Finding::absent); }
};

/// `asked`: which comparisons the results are to have; by default all.
ClaimResult judge(
    const ClaimRule& rule, const CellSource& cells,
    const std::function<bool(const Comparison&)>& asked = [](const Comparison&) { return true; });

}  // namespace whorl
