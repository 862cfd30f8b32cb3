#include "app/claims/rule.hpp"

#include <span>

#include "core/io/checksum.hpp"

namespace whorl {

// Found through argument-dependent lookup.
template <class V>
void describe(V& v, Control& c) {
    v.field("better", c.better, required());
    v.field("worse", c.worse, required());
    v.require(c.better != c.worse, "worse", "must be another row");
}

template <class V>
void describe(V& v, Ceiling& c) {
    v.field("row", c.row, required());
    v.field("least", c.least, above(0).at_most(1));
    v.field("columns", c.columns);
}

template <class V>
void describe(V& v, Comparison& c) {
    v.field("column", c.column, required());
    v.field("arm", c.arm, required());
    v.field("beside", c.beside);
    v.field("quick_size", c.quick_size, at_least(1));
    v.field("size", c.size, at_least(1));
    v.field("least", c.least, at_least(0));
    v.field("margin", c.margin, above(0));
    v.field("control", c.control);
    v.field("expected", c.expected);
    v.field("within", c.within, above(0));
}

namespace {

// What a comparison must have, and what would have no effect.
template <class V>
void describe_kind(V& v, const ClaimRule& rule) {
    const bool order = rule.kind == ClaimKind::order, superiority = rule.kind == ClaimKind::superiority;
    for (const Comparison& c : rule.comparisons) {
        v.require(order || !c.beside.empty(), "comparisons", "each needs 'beside', the row to compare with");
        v.require(order || c.arm != c.beside, "comparisons", "a row is compared with another one");
        v.require(order == c.beside.empty(), "comparisons", "orders are compared with a number, not with 'beside'");
        v.require(order == (c.expected && c.within), "comparisons",
                  "'expected' and 'within' are what kind = \"order\" needs, and no other kind");
        v.require((order || superiority) != (c.margin && c.control), "comparisons",
                  "'margin' and 'control' are what \"as-good-as\" and \"latency\" need, and no other kind");
        v.require(superiority || c.least == 0, "comparisons", "'least' is for kind = \"superiority\"");
    }
}

}  // namespace

template <class V>
void describe(V& v, ClaimRule& c) {
    v.field("number", c.number, at_least(1).required());
    v.field("name", c.name, required());
    v.field("statement", c.statement, required());
    v.field("source", c.source, required());
    v.field("published", c.published, required());
    v.field("table", c.table, required());
    v.field("kind", c.kind, required());
    v.field("confidence", c.confidence, above(0.5).below(1));
    v.field("fresh_seeds", c.fresh_seeds, at_least(12));
    v.field("ceiling", c.ceiling);
    v.field("comparisons", c.comparisons, required());
    v.require(!c.comparisons.empty(), "comparisons", "must list at least one [[comparisons]]");
    describe_kind(v, c);
}

ClaimRule read_rule(const std::string& text, const std::string& source) {
    ClaimRule rule;
    read_config(parse_toml(text, source), rule);
    rule.checksum = checksum(std::as_bytes(std::span(text)));
    return rule;
}

}  // namespace whorl
