#include "core/training/grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/numerics/activations.hpp"

namespace whorl {
namespace {

// Through text: the nearest double to a short decimal, as a config would have it.
double six_digits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.5e", value);
    return std::strtod(text, nullptr);
}

template <class At>
std::vector<double> spaced(double first, double last, std::int64_t count, const At& at) {
    if (count == 1) return {first == last ? first : six_digits(at(0.5))};
    std::vector<double> values;
    for (std::int64_t i = 0; i < count; ++i)
        values.push_back(i == 0           ? first
                         : i == count - 1 ? last
                                          : six_digits(at(static_cast<double>(i) / static_cast<double>(count - 1))));
    return values;
}

/// A grid in the form of a table.
struct Spacing {
    std::optional<std::vector<double>> log, linear;
    std::int64_t count = 0;
};

template <class V>
void describe_spacing(V& v, Spacing& c, const Limits& limits) {
    v.field("log", c.log, limits);
    v.field("linear", c.linear, limits);
    v.field("count", c.count, at_most(kMostReplicas).required());
    v.require(c.log.has_value() != c.linear.has_value(), c.log ? "log" : "linear",
              "give either log = [first, last] or linear = [first, last]");
    const auto& ends = c.log ? *c.log : *c.linear;
    const char* key = c.log ? "log" : "linear";
    v.require(ends.size() == 2, key, "expected the two ends, [first, last]");
    v.require(ends[0] <= ends[1], key, "the first end must not exceed the last");
    v.require(!c.log || ends[0] > 0, key, "both ends must be above 0");
    v.require(c.count >= 1, "count", "must be at least 1: a grid of no values makes a population of no replicas");
}

[[noreturn]] void fail_empty(const Value& value, const Place& place) {
    fail_at(place, value.line, "a grid of no values makes a population of no replicas; expected at least one");
}

// Training computes in float32, where values are the same that a config can still tell apart.
float in_training(double value) {
    return static_cast<float>(value);
}
std::pair<float, float> in_training(const DtRange& range) {
    return {in_training(range.min), in_training(range.max)};
}

std::string text_of(double value) {
    return fmt::format("{}", value);
}
std::string text_of(const DtRange& range) {
    return fmt::format("{{ min = {}, max = {} }}", range.min, range.max);
}

// "0.001 (8 times)", or "0.001 and 0.00100000000001, which are one in float32", for the values of one replica.
template <class T>
std::string repeated_text(const std::vector<T>& same) {
    std::string text = text_of(same.front());
    for (const T& value : same)
        if (text_of(value) != text_of(same.front()))
            return text + " and " + text_of(value) + ", which are one in float32";
    return fmt::format("{} ({} times)", text, same.size());
}

// A value that stands there again makes a copy of a replica, bit for bit, which must not count as another seed.
template <class T>
void refuse_repeated(std::vector<T> values, const Value& value, const Place& place) {
    constexpr std::size_t kMostNamed = 4;
    const auto less = [](const T& a, const T& b) { return in_training(a) < in_training(b); };
    std::stable_sort(values.begin(), values.end(), less);
    std::string named;
    std::size_t groups = 0;
    for (auto first = values.begin(); first != values.end();) {
        const auto last = std::upper_bound(first, values.end(), *first, less);
        if (last - first > 1 && ++groups <= kMostNamed)
            named += (named.empty() ? "" : "; ") + repeated_text(std::vector<T>(first, last));
        first = last;
    }
    if (groups == 0) return;
    if (groups > kMostNamed) named += fmt::format("; and {} more", groups - kMostNamed);
    fail_at(
        place, value.line,
        "holds a value several times: " + named +
            "; that makes copies of one replica, not more seeds: give each value once, and replicas.seeds for more");
}

std::vector<double> read_numbers(const Value& value, const Place& place, const Limits& limits) {
    if (std::holds_alternative<Table>(value.data)) {
        Spacing spacing;
        ConfigReader reader(value, place);
        describe_spacing(reader, spacing, limits);
        reader.finish();
        return spacing.log ? log_grid((*spacing.log)[0], (*spacing.log)[1], spacing.count)
                           : linear_grid((*spacing.linear)[0], (*spacing.linear)[1], spacing.count);
    }
    std::vector<double> values;
    if (std::holds_alternative<Array>(value.data))
        ConfigReader::read(value, place, values, limits);
    else
        ConfigReader::read(value, place, values.emplace_back(), limits);
    if (values.empty()) fail_empty(value, place);
    return values;
}

void read_ranges(const Value& value, const Place& place, std::vector<DtRange>& ranges) {
    std::vector<double> lows = {0}, highs = {0};
    NumberGrid low{lows}, high{highs};
    ConfigReader reader(value, place);
    reader.field("min", low, at_least(0));
    reader.field("max", high, at_least(0));
    reader.finish();
    if (ranges.size() + lows.size() * highs.size() > static_cast<std::size_t>(kMostReplicas))
        fail_at(place, value.line, "makes more than " + std::to_string(kMostReplicas) + " ranges");
    for (const double min : lows)
        for (const double max : highs) {
            reader.require(min <= max && (min > 0 || max == 0), "min",
                           "need 0 < min ≤ max, or 0 for both: as the model says");
            ranges.push_back({min, max});
        }
}

}  // namespace

std::vector<double> linear_grid(double first, double last, std::int64_t count) {
    return spaced(first, last, count, [&](double share) { return first + share * (last - first); });
}

std::vector<double> log_grid(double first, double last, std::int64_t count) {
    const double ratio = numerics::log(last / first);
    return spaced(first, last, count, [&](double share) { return first * numerics::exp(share * ratio); });
}

void read_value(const Value& value, const Place& place, NumberGrid& grid, const Limits& limits) {
    grid.values = read_numbers(value, place, limits);
    refuse_repeated(grid.values, value, place);
}

Value write_value(const NumberGrid& grid) {
    return ConfigWriter::write(grid.values);
}

void read_value(const Value& value, const Place& place, RangeGrid& grid, const Limits&) {
    std::vector<DtRange> ranges;
    if (const Array* items = std::get_if<Array>(&value.data))
        for (std::size_t i = 0; i < items->size(); ++i) read_ranges((*items)[i], place.element(i), ranges);
    else
        read_ranges(value, place, ranges);
    if (ranges.empty()) fail_empty(value, place);
    refuse_repeated(ranges, value, place);
    grid.values = std::move(ranges);
}

Value write_value(const RangeGrid& grid) {
    Array items;
    for (const DtRange& range : grid.values) items.emplace_back(Table{{"min", {range.min}}, {"max", {range.max}}});
    return {std::move(items)};
}

}  // namespace whorl
