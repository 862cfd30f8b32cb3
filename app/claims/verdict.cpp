#include "app/claims/verdict.hpp"

#include <algorithm>
#include <cmath>

#include "app/statistics/holm.hpp"
#include "app/statistics/rank_test.hpp"
#include "core/numerics/activations.hpp"
#include "core/training/statistics.hpp"

namespace whorl {
namespace {

constexpr double kRounding = 1 + 1e-9;  // a probability may be just the level

/// Two cells of one comparison.
struct Pair {
    CellValues arm, beside;
};

class Judge {
public:
    Judge(const ClaimRule& rule, const CellSource& cells, const std::function<bool(const Comparison&)>& asked)
        : rule_(rule), cells_(cells), asked_(asked) {}

    ClaimResult judge() {
        for (const Comparison& comparison : rule_.comparisons) result_.comparisons.push_back(look(comparison));
        if (rule_.kind == ClaimKind::superiority) judge_superiority();
        result_.verdict = verdict();
        return std::move(result_);
    }

private:
    bool counts_seeds() const { return rule_.kind == ClaimKind::superiority || rule_.kind == ClaimKind::as_good_as; }

    // Empty where there are too few to judge by.
    std::optional<CellValues> values(const Comparison& comparison, const std::string& row) const {
        auto found = cells_(comparison, row);
        const auto least = static_cast<std::size_t>(counts_seeds() ? rule_.fresh_seeds : 1);
        return found && found->size() >= least ? found : std::nullopt;
    }

    ComparisonResult look(const Comparison& comparison) {
        ComparisonResult result;
        if (!asked_(comparison)) {
            result.outcome = Finding::absent;
            return result;
        }
        const auto arm = values(comparison, comparison.arm);
        if (!arm) return result;
        result.arm = median(*arm), result.arm_values = arm->size();
        if (rule_.kind == ClaimKind::order) {
            result.outcome = of_order(comparison, *arm) ? Finding::holds : Finding::reversed;
            return result;
        }
        const auto beside = values(comparison, comparison.beside);
        if (!beside) return result;
        result.beside = median(*beside), result.beside_values = beside->size();
        result.shift = shift_bounds(*arm, *beside, rule_.confidence);
        result.outcome = Finding::undecided;
        if (rule_.kind != ClaimKind::superiority) judge_margin(comparison, result);
        if (rule_.kind == ClaimKind::superiority)
            result.p = rank_test(*arm, *beside), result.p_reversed = rank_test(*beside, *arm);
        if (has_ceiling(comparison)) look_at_ceiling(comparison, result);
        return result;
    }

    static bool of_order(const Comparison& comparison, const CellValues& orders) {
        return std::all_of(orders.begin(), orders.end(),
                           [&](double order) { return std::fabs(order - *comparison.expected) <= *comparison.within; });
    }

    void judge_margin(const Comparison& comparison, ComparisonResult& result) const {
        const auto better = values(comparison, comparison.control->better);
        const auto worse = values(comparison, comparison.control->worse);
        if (!better || !worse) {
            result.outcome = Finding::missing;
            return;
        }
        // A share of a time is a distance of its logarithm.
        const double margin =
            rule_.kind == ClaimKind::latency ? numerics::log(1 + *comparison.margin) : *comparison.margin;
        result.control = shift_bounds(*better, *worse, rule_.confidence);
        if (result.shift->upper < -margin)
            result.outcome = Finding::reversed;
        else if (!(result.control->lower > margin))
            result.outcome = Finding::silent;
        else if (result.shift->lower > -margin)
            result.outcome = Finding::holds;
    }

    bool has_ceiling(const Comparison& comparison) const {
        if (!rule_.ceiling) return false;
        const std::vector<std::string>& columns = rule_.ceiling->columns;
        return columns.empty() || std::find(columns.begin(), columns.end(), comparison.column) != columns.end();
    }

    void look_at_ceiling(const Comparison& comparison, ComparisonResult& result) const {
        const auto ceiling = values(comparison, rule_.ceiling->row);
        if (!ceiling) {
            result.outcome = Finding::missing;
            return;
        }
        result.ceiling = median(*ceiling);
        if (*result.ceiling < rule_.ceiling->least) result.outcome = Finding::silent;
    }

    // One family for each direction. A comparison without results belongs to it with a probability of 1: leaving one
    // out makes none of the others surer. One that says nothing about the claim does not.
    void judge_superiority() {
        std::vector<ComparisonResult*> family;
        std::vector<double> forward, backward;
        for (ComparisonResult& one : result_.comparisons) {
            if (one.outcome == Finding::silent || one.outcome == Finding::missing)
                one.p = one.p_reversed = std::nullopt;
            if (one.outcome == Finding::silent || one.outcome == Finding::absent) continue;
            family.push_back(&one);
            forward.push_back(one.outcome == Finding::missing ? 1 : *one.p);
            backward.push_back(one.outcome == Finding::missing ? 1 : *one.p_reversed);
        }
        forward = holm(forward), backward = holm(backward);
        for (std::size_t i = 0; i < family.size(); ++i) {
            ComparisonResult& one = *family[i];
            if (one.outcome == Finding::missing) continue;
            one.p = forward[i], one.p_reversed = backward[i];
            const double least = rule_.comparisons[static_cast<std::size_t>(&one - result_.comparisons.data())].least;
            const double level = (1 - rule_.confidence) * kRounding;
            if (forward[i] <= level && one.shift->shift >= least) one.outcome = Finding::holds;
            if (backward[i] <= level) one.outcome = Finding::reversed;
        }
    }

    Verdict verdict() const {
        const std::size_t all = result_.asked(), missing = result_.count(Finding::missing);
        const std::size_t holds = result_.count(Finding::holds), silent = result_.count(Finding::silent);
        if (missing == all) return Verdict::no_results;
        if (holds > 0) return holds + silent == all ? Verdict::shown : Verdict::partly;
        return result_.count(Finding::reversed) > 0 ? Verdict::contradicted : Verdict::not_at_this_scale;
    }

    const ClaimRule& rule_;
    const CellSource& cells_;
    const std::function<bool(const Comparison&)>& asked_;
    ClaimResult result_;
};

}  // namespace

std::size_t ClaimResult::count(Finding outcome) const {
    return static_cast<std::size_t>(
        std::count_if(comparisons.begin(), comparisons.end(),
                      [outcome](const ComparisonResult& one) { return one.outcome == outcome; }));
}

ClaimResult judge(const ClaimRule& rule, const CellSource& cells, const std::function<bool(const Comparison&)>& asked) {
    return Judge(rule, cells, asked).judge();
}

}  // namespace whorl
