// Verdicts from numbers made up for them: each can come out, and each can fail to.
#include "app/claims/verdict.hpp"

#include <map>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"

using namespace whorl;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Twelve values from `low` up, all different.
CellValues spread(double low, double step = 0.001) {
    CellValues values;
    for (int i = 0; i < 12; ++i) values.push_back(low + step * i);
    return values;
}

using Cells = std::map<std::string, CellValues>;  // "column/row"

ClaimResult judged(const ClaimRule& rule, const Cells& cells) {
    return judge(rule, [&](const Comparison& comparison, const std::string& row) -> std::optional<CellValues> {
        const auto found = cells.find(comparison.column + "/" + row);
        return found == cells.end() ? std::nullopt : std::optional(found->second);
    });
}

ClaimRule rule_of(ClaimKind kind, std::vector<Comparison> comparisons) {
    ClaimRule rule;
    rule.kind = kind, rule.comparisons = std::move(comparisons);
    return rule;
}

Comparison better(const std::string& column, double least = 0) {
    Comparison comparison;
    comparison.column = column, comparison.arm = "new", comparison.beside = "old", comparison.least = least;
    return comparison;
}

Comparison no_worse(const std::string& column, double margin) {
    Comparison comparison = better(column);
    comparison.margin = margin, comparison.control = Control{"big", "small"};
    return comparison;
}

Comparison of_order(const std::string& column, const std::string& arm, double expected) {
    Comparison comparison;
    comparison.column = column, comparison.arm = arm, comparison.expected = expected, comparison.within = 0.1;
    return comparison;
}

}  // namespace

TEST_CASE("superiority is shown, partly shown, not told or contradicted", "[claims]") {
    const ClaimRule rule = rule_of(ClaimKind::superiority, {better("a"), better("b")});
    const CellValues high = spread(0.9), low = spread(0.2), same = spread(0.2005);
    CHECK(judged(rule, {}).verdict == Verdict::no_results);
    CHECK(judged(rule, {{"a/new", high}, {"a/old", low}, {"b/new", high}, {"b/old", low}}).verdict == Verdict::shown);
    CHECK(judged(rule, {{"a/new", high}, {"a/old", low}, {"b/new", same}, {"b/old", low}}).verdict == Verdict::partly);
    CHECK(judged(rule, {{"a/new", high}, {"a/old", low}, {"b/new", low}, {"b/old", high}}).verdict == Verdict::partly);
    CHECK(judged(rule, {{"a/new", same}, {"a/old", low}, {"b/new", low}, {"b/old", same}}).verdict ==
          Verdict::not_at_this_scale);
    CHECK(judged(rule, {{"a/new", low}, {"a/old", high}, {"b/new", same}, {"b/old", low}}).verdict ==
          Verdict::contradicted);
    // A comparison without results is one that does not hold.
    CHECK(judged(rule, {{"a/new", high}, {"a/old", low}}).verdict == Verdict::partly);
    CHECK(judged(rule, {{"a/new", high}}).verdict == Verdict::no_results);
}

TEST_CASE("a difference that is sure but small is not what was claimed", "[claims]") {
    const Cells cells = {{"a/new", spread(0.22)}, {"a/old", spread(0.2)}};
    CHECK(judged(rule_of(ClaimKind::superiority, {better("a", 0.019)}), cells).verdict == Verdict::shown);
    CHECK(judged(rule_of(ClaimKind::superiority, {better("a", 0.021)}), cells).verdict == Verdict::not_at_this_scale);
}

TEST_CASE("several tests of one claim are adjusted within it", "[claims]") {
    // Shifted by three and a half places (p = 0.019 by SciPy): enough alone, too little as one of three like it.
    CellValues arm = spread(0), beside = spread(0);
    for (double& value : arm) value += 0.0035;
    const Cells one = {{"a/new", arm}, {"a/old", beside}};
    const ClaimResult alone = judged(rule_of(ClaimKind::superiority, {better("a")}), one);
    REQUIRE(alone.comparisons[0].p.value() < 0.05);
    REQUIRE(alone.comparisons[0].p.value() > 0.05 / 3);
    CHECK(alone.verdict == Verdict::shown);
    const Cells three = {{"a/new", arm},    {"a/old", beside}, {"b/new", arm},
                         {"b/old", beside}, {"c/new", arm},    {"c/old", beside}};
    const ClaimRule rule = rule_of(ClaimKind::superiority, {better("a"), better("b"), better("c")});
    const ClaimResult together = judged(rule, three);
    CHECK(together.comparisons[0].p.value() == Approx(3 * alone.comparisons[0].p.value()));
    CHECK(together.verdict == Verdict::not_at_this_scale);
    // What is missing makes the others no surer.
    CHECK(judged(rule, one).comparisons[0].p.value() == together.comparisons[0].p.value());
}

TEST_CASE("too few seeds are no results", "[claims]") {
    CellValues few = spread(0.9);
    few.pop_back();
    const ClaimRule rule = rule_of(ClaimKind::superiority, {better("a")});
    CHECK(judged(rule, {{"a/new", few}, {"a/old", spread(0.2)}}).verdict == Verdict::no_results);
    CHECK(judged(rule, {{"a/new", spread(0.9)}, {"a/old", few}}).verdict == Verdict::no_results);
}

TEST_CASE("as good as is shown within the margin and only where the control differs", "[claims]") {
    const ClaimRule rule = rule_of(ClaimKind::as_good_as, {no_worse("a", 0.05)});
    const auto verdict = [&](double arm, double small, double step = 0.001) {
        return judged(rule, {{"a/new", spread(arm, step)},
                             {"a/old", spread(0.9, step)},
                             {"a/big", spread(0.9)},
                             {"a/small", spread(small)}})
            .verdict;
    };
    CHECK(verdict(0.89, 0.7) == Verdict::shown);
    CHECK(verdict(0.95, 0.7) == Verdict::shown);
    CHECK(verdict(0.80, 0.7) == Verdict::contradicted);        // worse by more than the margin
    CHECK(verdict(0.85, 0.7) == Verdict::not_at_this_scale);   // the bound is beyond the margin
    CHECK(verdict(0.89, 0.87) == Verdict::not_at_this_scale);  // halving the state costs nothing that one could see
    CHECK(verdict(0.89, 0.7, 0.03) == Verdict::not_at_this_scale);  // too much spread to tell
    const ClaimResult silent = judged(
        rule, {{"a/new", spread(0.89)}, {"a/old", spread(0.9)}, {"a/big", spread(0.9)}, {"a/small", spread(0.9)}});
    CHECK(silent.count(Finding::silent) == 1);
    // No control, no verdict.
    CHECK(judged(rule, {{"a/new", spread(0.9)}, {"a/old", spread(0.9)}}).verdict == Verdict::no_results);
}

TEST_CASE("where the ceiling is not reached a comparison says nothing", "[claims]") {
    ClaimRule rule = rule_of(ClaimKind::superiority, {better("a"), better("b")});
    rule.ceiling = Ceiling{"attention", 0.99};
    Cells cells = {{"a/new", spread(0.9)}, {"a/old", spread(0.2)}, {"a/attention", CellValues(12, 1.0)},
                   {"b/new", spread(0.2)}, {"b/old", spread(0.9)}, {"b/attention", CellValues(12, 0.98)}};
    CHECK(judged(rule, cells).verdict == Verdict::shown);
    CHECK(judged(rule, cells).comparisons[1].outcome == Finding::silent);
    cells["b/attention"] = CellValues(12, 0.99);
    CHECK(judged(rule, cells).verdict == Verdict::partly);
    cells["a/attention"] = cells["b/attention"] = CellValues(12, 0.5);
    CHECK(judged(rule, cells).verdict == Verdict::not_at_this_scale);
    rule.ceiling->columns = {"b"};  // in the other column there is none
    CHECK(judged(rule, cells).comparisons[0].outcome == Finding::holds);
    CHECK(judged(rule, cells).verdict == Verdict::shown);
    rule.ceiling->columns.clear();
    cells.erase("a/attention");
    CHECK(judged(rule, cells).comparisons[0].outcome == Finding::missing);
}

TEST_CASE("what a profile does not ask is no part of its verdict", "[claims]") {
    const ClaimRule rule = rule_of(ClaimKind::superiority, {better("a"), better("b")});
    const Cells cells = {{"a/new", spread(0.9)}, {"a/old", spread(0.2)}};
    const CellSource source = [&](const Comparison& comparison, const std::string& row) -> std::optional<CellValues> {
        const auto found = cells.find(comparison.column + "/" + row);
        return found == cells.end() ? std::nullopt : std::optional(found->second);
    };
    CHECK(judge(rule, source).verdict == Verdict::partly);  // b is missing
    const auto asked_of = [&](const std::string& column) {
        return judge(rule, source, [&](const Comparison& one) { return one.column == column; });
    };
    CHECK(asked_of("a").verdict == Verdict::shown);
    CHECK(asked_of("a").comparisons[1].outcome == Finding::absent);
    CHECK(asked_of("a").asked() == 1);
    // Nor does it weigh on the others' levels: one test needs no adjustment.
    CHECK(*asked_of("a").comparisons[0].p == Approx(*judge(rule, source).comparisons[0].p / 2));
    CHECK(asked_of("b").verdict == Verdict::no_results);
}

TEST_CASE("orders are what was expected or not", "[claims]") {
    const ClaimRule rule = rule_of(ClaimKind::order, {of_order("o", "trapezoid", 2), of_order("o", "euler", 1)});
    const auto verdict = [&](CellValues trapezoid, CellValues euler) {
        return judged(rule, {{"o/trapezoid", std::move(trapezoid)}, {"o/euler", std::move(euler)}}).verdict;
    };
    CHECK(verdict({2.0, 1.95}, {1.01}) == Verdict::shown);
    CHECK(verdict({2.0, 1.2}, {1.01}) == Verdict::partly);
    CHECK(verdict({1.0}, {2.0}) == Verdict::contradicted);
}

TEST_CASE("a time within the margin is as good, a longer one is not", "[claims]") {
    const ClaimRule rule = rule_of(ClaimKind::latency, {no_worse("t", 0.1)});
    const auto times = [](double seconds) {
        CellValues values;
        for (int i = 0; i < 12; ++i) values.push_back(-std::log(seconds * (1 + 0.001 * i)));
        return values;
    };
    const auto verdict = [&](double arm, double control) {
        return judged(rule,
                      {{"t/new", times(arm)}, {"t/old", times(1)}, {"t/big", times(1)}, {"t/small", times(control)}})
            .verdict;
    };
    CHECK(verdict(1.05, 1.5) == Verdict::shown);
    CHECK(verdict(0.5, 1.5) == Verdict::shown);
    CHECK(verdict(1.25, 1.5) == Verdict::contradicted);  // 0.137 against 0.110 ms
    CHECK(verdict(1.05, 1.05) == Verdict::not_at_this_scale);
}

TEST_CASE("a rule is read with what its kind needs and refused otherwise", "[claims]") {
    const std::string head =
        "number = 1\nname = \"a\"\nstatement = \"s\"\nsource = \"s\"\npublished = \"p\"\ntable = \"needle\"\n";
    const std::string pair = "[[comparisons]]\ncolumn = \"noise\"\narm = \"x\"\nbeside = \"y\"\n";
    const auto message = [&](const std::string& text) {
        return message_of<UserError>([&] { read_rule(head + text, "rule.toml"); });
    };
    const ClaimRule rule = read_rule(head + "kind = \"superiority\"\n" + pair + "least = 0.1\n", "rule.toml");
    CHECK(rule.comparisons.at(0).least == 0.1);
    CHECK(rule.checksum.size() == 32);
    // A comment is part of the rule: whoever changes its file says so in a new one.
    CHECK(read_rule(head + "kind = \"superiority\"\n" + pair + "least = 0.1 # more\n", "rule.toml").checksum !=
          rule.checksum);
    CHECK_THAT(message("kind = \"superior\"\n" + pair), ContainsSubstring("superiority"));
    CHECK_THAT(message("kind = \"as-good-as\"\n" + pair), ContainsSubstring("'margin' and 'control'"));
    CHECK_THAT(
        message("kind = \"superiority\"\n" + pair + "margin = 0.1\ncontrol = { better = \"x\", worse = \"y\" }\n"),
        ContainsSubstring("no other kind"));
    CHECK_THAT(message("kind = \"order\"\n" + pair + "expected = 2.0\nwithin = 0.1\n"), ContainsSubstring("'beside'"));
    CHECK_THAT(message("kind = \"superiority\"\nfresh_seeds = 3\n" + pair), ContainsSubstring("fresh_seeds"));
    CHECK_THAT(message("kind = \"superiority\"\ncomparisons = []\n"), ContainsSubstring("at least one"));
    CHECK_THAT(message("kind = \"superiority\"\n[[comparisons]]\ncolumn = \"noise\"\narm = \"x\"\nbeside = \"x\"\n"),
               ContainsSubstring("another one"));
}
