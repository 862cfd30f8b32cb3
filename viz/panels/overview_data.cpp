#include "viz/panels/overview_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::viz {
namespace {

const std::vector<std::string>& operators() {
    static const std::vector<std::string> all = {">=", "<=", "!=", "=", "<", ">"};  // longer ones first
    return all;
}

struct Condition {
    std::size_t key = 0;
    std::string op;
    Known value;
};

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(' '), last = text.find_last_not_of(' ');
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::optional<double> number_in(const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return text.empty() || *end != '\0' ? std::nullopt : std::optional(value);
}

[[noreturn]] void refuse(const std::string& condition, const std::string& why) {
    throw UserError(one_line("filter " + in_quotes(condition) + ": " + why));
}

/// The operator that comes first, the longer where two begin there.
std::pair<std::size_t, std::string> operator_in(const std::string& condition) {
    std::pair<std::size_t, std::string> first{std::string::npos, ""};
    for (const std::string& op : operators())
        if (const std::size_t at = condition.find(op); at < first.first) first = {at, op};
    return first;
}

Condition read_condition(const OverviewData& data, const std::string& text) {
    const auto [at, op] = operator_in(text);
    if (at == std::string::npos) refuse(text, "expected KEY OP VALUE, as in accuracy>=90; OP is one of = != < <= > >=");
    Condition condition{key_named(data, trimmed(text.substr(0, at))), op, {}};
    const std::string value = trimmed(text.substr(at + op.size()));
    const auto number = number_in(value);
    if (value.empty()) refuse(text, "the value is missing");
    if (!number && op != "=" && op != "!=") refuse(text, "only numbers are smaller or larger; use = or !=");
    if (number)
        condition.value = *number;
    else
        condition.value = value;
    return condition;
}

bool holds(const Condition& condition, const OverviewKey& key, const Known& known) {
    const auto *number = std::get_if<double>(&known), *other = std::get_if<double>(&condition.value);
    if (number == nullptr || other == nullptr) {
        const bool known_at_all = known.index() != 0;
        const bool same = known_at_all && known_text(key, known) == known_text(key, condition.value);
        return condition.op == "=" ? same : condition.op == "!=" && !same;
    }
    if (condition.op == "=") return *number == *other;
    if (condition.op == "!=") return *number != *other;
    if (condition.op == "<") return *number < *other;
    if (condition.op == "<=") return *number <= *other;
    return condition.op == ">" ? *number > *other : *number >= *other;
}

std::vector<Condition> read_filter(const OverviewData& data, const std::string& filter) {
    std::vector<Condition> conditions;
    const std::string between = " and ";  // not a comma: folders' names have those
    for (std::size_t begin = 0; begin < filter.size();) {
        const std::size_t end = std::min(filter.find(between, begin), filter.size());
        if (const std::string one = trimmed(filter.substr(begin, end - begin)); !one.empty())
            conditions.push_back(read_condition(data, one));
        begin = end + between.size();
    }
    return conditions;
}

}  // namespace

std::size_t key_named(const OverviewData& data, const std::string& name) {
    std::vector<std::string> names;
    for (std::size_t k = 0; k < data.keys.size(); ++k) {
        if (data.keys[k].name == name) return k;
        names.push_back(data.keys[k].name);
    }
    throw UserError(one_line("overview: unknown key " + in_quotes(name)) + suggestion(name, names));
}

std::string known_text(const OverviewKey& key, const Known& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    const auto* number = std::get_if<double>(&value);
    if (number == nullptr) return "–";
    if (key.unit != "%") return fmt::format("{:.6g}", *number);
    const double tenths = std::round(10 * *number) / 10;
    return fmt::format("{:g} %", tenths == 0 ? 0.0 : tenths);
}

std::vector<Known> values_of(const OverviewData& data, std::size_t key) {
    std::vector<Known> values;
    for (const OverviewDot& dot : data.dots)
        if (dot.known[key].index() != 0) values.push_back(dot.known[key]);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::vector<std::string> varying_keys(const OverviewData& data) {
    std::vector<std::string> names;
    for (std::size_t k = 0; k < data.keys.size(); ++k)
        if (values_of(data, k).size() > 1) names.push_back(data.keys[k].name);
    return names;
}

std::vector<std::size_t> filtered(const OverviewData& data, const std::string& filter) {
    const std::vector<Condition> conditions = read_filter(data, filter);
    std::vector<std::size_t> dots;
    for (std::size_t d = 0; d < data.dots.size(); ++d)
        if (std::all_of(conditions.begin(), conditions.end(), [&](const Condition& one) {
                return holds(one, data.keys[one.key], data.dots[d].known[one.key]);
            }))
            dots.push_back(d);
    return dots;
}

std::vector<std::size_t> sorted(const OverviewData& data, std::vector<std::size_t> dots, const std::string& by) {
    if (by.empty()) return dots;
    const bool falls = by[0] == '-';
    const std::size_t key = key_named(data, by.substr(falls ? 1 : 0));
    std::stable_sort(dots.begin(), dots.end(), [&](std::size_t a, std::size_t b) {
        const Known &one = data.dots[a].known[key], &other = data.dots[b].known[key];
        if (one.index() == 0 || other.index() == 0) return one.index() != 0 && other.index() == 0;
        return falls ? other < one : one < other;
    });
    return dots;
}

}  // namespace whorl::viz
