#include "app/claims/paint.hpp"

#include <fmt/format.h>

#include <cmath>

#include "app/tables/grid.hpp"
#include "core/numerics/activations.hpp"

namespace whorl {
namespace {

const Comparison& comparison_of(const JudgedClaim& claim, std::size_t i) {
    return claim.rule->comparisons[i];
}

// As people write what the values stand for: a logarithm of a time is a time again.
std::string value_text(const ClaimRule& rule, double value) {
    if (rule.kind == ClaimKind::latency) return fmt::format("{:.3g} ms", 1e3 * numerics::exp(-value));
    if (rule.kind == ClaimKind::order) return fmt::format("{:.2f}", value);
    return fmt::format("{:.3f}", value < 0 ? std::fabs(value) : value);
}

std::string numbers_text(const JudgedClaim& claim, std::size_t i) {
    const ComparisonResult& one = claim.result.comparisons[i];
    const Comparison& comparison = comparison_of(claim, i);
    if (one.arm_values == 0) return "–";
    std::string text = comparison.arm + " " + value_text(*claim.rule, one.arm);
    if (one.beside_values > 0) text += ", " + comparison.beside + " " + value_text(*claim.rule, one.beside);
    return text;
}

std::string bound_text(double bound) {
    return std::isinf(bound) ? "none" : fmt::format("{:+.3f}", bound);
}

std::string evidence_text(const JudgedClaim& claim, std::size_t i) {
    const ComparisonResult& one = claim.result.comparisons[i];
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
    if (one.shift)
        add(fmt::format("shift {:+.3f}, bounds {} and {}", one.shift->shift, bound_text(one.shift->lower),
                        bound_text(one.shift->upper)));
    if (one.p) add(fmt::format("p {:.2g}, the other way {:.2g}", *one.p, *one.p_reversed));
    if (one.control) add(fmt::format("control's bound {}", bound_text(one.control->lower)));
    if (one.ceiling) add(fmt::format("{} {:.3f}", claim.rule->ceiling->row, *one.ceiling));
    return text;
}

// The first comparison with results stands for all in the overview.
std::string ours_text(const JudgedClaim& claim) {
    const std::size_t all = claim.result.comparisons.size(), asked = claim.result.asked();
    if (!claim.reason.empty()) return claim.reason;
    for (std::size_t i = 0; i < all; ++i)
        if (claim.result.comparisons[i].arm_values > 0)
            return fmt::format("{} ({} of {} hold{}; {})", numbers_text(claim, i), claim.result.count(Finding::holds),
                               asked,
                               claim.result.count(Finding::silent) > 0
                                   ? fmt::format(", {} say nothing", claim.result.count(Finding::silent))
                                   : "",
                               name_of(claim.profile));
    return "–";
}

Grid overview(const std::vector<JudgedClaim>& claims) {
    Grid grid{{{"", "claim", "published", "ours", "verdict"}}, 5};
    for (const JudgedClaim& claim : claims)
        grid.lines.push_back({std::to_string(claim.rule->number), claim.rule->statement, claim.rule->published,
                              ours_text(claim), name_of(claim.result.verdict)});
    return grid;
}

Grid details(const JudgedClaim& claim) {
    Grid grid{{{"column", "medians", "evidence", "outcome"}}, 4};
    for (std::size_t i = 0; i < claim.result.comparisons.size(); ++i)
        grid.lines.push_back({comparison_of(claim, i).column, numbers_text(claim, i), evidence_text(claim, i),
                              name_of(claim.result.comparisons[i].outcome)});
    return grid;
}

std::string rule_text(const ClaimRule& rule) {
    return fmt::format("{}. {} ({}; {}; confidence {:g})", rule.number, rule.statement, rule.source, name_of(rule.kind),
                       rule.confidence);
}

Value number(const std::optional<double>& value) {
    return value && std::isfinite(*value) ? Value{*value} : Value{};
}

Value bounds_value(const std::optional<ShiftBounds>& bounds) {
    if (!bounds) return {};
    return {
        Table{{"shift", number(bounds->shift)}, {"lower", number(bounds->lower)}, {"upper", number(bounds->upper)}}};
}

Value comparison_value(const JudgedClaim& claim, std::size_t i) {
    const Comparison& comparison = comparison_of(claim, i);
    const ComparisonResult& one = claim.result.comparisons[i];
    return {Table{{"column", {comparison.column}},
                  {"arm", {comparison.arm}},
                  {"beside", comparison.beside.empty() ? Value{} : Value{comparison.beside}},
                  {"outcome", {std::string(name_of(one.outcome))}},
                  {"arm_values", {static_cast<std::int64_t>(one.arm_values)}},
                  {"beside_values", {static_cast<std::int64_t>(one.beside_values)}},
                  {"arm_median", one.arm_values > 0 ? Value{one.arm} : Value{}},
                  {"beside_median", one.beside_values > 0 ? Value{one.beside} : Value{}},
                  {"shift", bounds_value(one.shift)},
                  {"p", number(one.p)},
                  {"p_reversed", number(one.p_reversed)},
                  {"control", bounds_value(one.control)},
                  {"ceiling", number(one.ceiling)}}};
}

Value claim_value(const JudgedClaim& claim) {
    Array comparisons, commits;
    for (std::size_t i = 0; i < claim.result.comparisons.size(); ++i) comparisons.push_back(comparison_value(claim, i));
    for (const std::string& commit : claim.commits) commits.emplace_back(commit);
    const ClaimRule& rule = *claim.rule;
    return {Table{{"number", {rule.number}},
                  {"claim", {rule.name}},
                  {"statement", {rule.statement}},
                  {"source", {rule.source}},
                  {"published", {rule.published}},
                  {"table", {rule.table}},
                  {"profile", {std::string(name_of(claim.profile))}},
                  {"rule", {rule.checksum}},
                  {"commits", {std::move(commits)}},
                  {"verdict", {std::string(name_of(claim.result.verdict))}},
                  {"reason", claim.reason.empty() ? Value{} : Value{claim.reason}},
                  {"comparisons", {std::move(comparisons)}}}};
}

}  // namespace

std::string claims_text(const std::vector<JudgedClaim>& claims, bool details_too) {
    std::string text = text_of(overview(claims));
    if (!details_too) return text;
    for (const JudgedClaim& claim : claims)
        text += fmt::format("\n{}\n{}", rule_text(*claim.rule), text_of(details(claim)));
    return text;
}

std::string claims_markdown(const std::vector<JudgedClaim>& claims) {
    return markdown_of(overview(claims));
}

std::string claims_json(const std::vector<JudgedClaim>& claims) {
    Array list;
    for (const JudgedClaim& claim : claims) list.push_back(claim_value(claim));
    return write_json({Table{{"claims", {std::move(list)}}}}, 1) + "\n";
}

}  // namespace whorl
