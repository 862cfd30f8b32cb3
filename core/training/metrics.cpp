#include "core/training/metrics.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/merit.hpp"
#include "core/base/text.hpp"
#include "core/config/config_binding.hpp"

namespace whorl {

constexpr auto enum_names(Split) {
    return std::to_array<EnumName<Split>>(
        {{Split::train, "train"}, {Split::validation, "validation"}, {Split::test, "test"}});
}

const char* split_name(Split split) {
    return name_of(split);
}

Split split_named(const std::string& name, const std::string& where) {
    std::vector<std::string> names;
    for (const auto& entry : enum_names(Split{})) {
        if (name == entry.name) return entry.value;
        names.emplace_back(entry.name);
    }
    throw UserError(where + ": unknown split " + in_quotes(name) + suggestion(name, names));
}

namespace {

Value numbers(const std::vector<double>& values) {
    Array items;
    for (const double value : values) items.emplace_back(value);
    return {std::move(items)};
}

Value numbers(const std::vector<std::int64_t>& values) {
    Array items;
    for (const std::int64_t value : values) items.emplace_back(value);
    return {std::move(items)};
}

Value rows(const std::vector<std::vector<double>>& values) {
    Array items;
    for (const auto& row : values) items.push_back(numbers(row));
    return {std::move(items)};
}

/// JSON has no NaN: write_json makes it null.
struct StoredEvaluation {
    Split kind = Split::validation;
    std::int64_t step = 0, count = 0;
    std::vector<std::int64_t> sizes;
    std::vector<std::vector<double>> accuracy, found;
    std::vector<std::vector<std::optional<double>>> loss, bits;
    std::vector<double> ideal_bits;
};

/// One row a size; all are as long as the first of `accuracy`, which has a number for each replica.
template <class T>
bool one_row_a_size(const StoredEvaluation& c, const std::vector<std::vector<T>>& rows) {
    return rows.size() == c.sizes.size() && std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
               return !row.empty() && row.size() == c.accuracy.front().size();
           });
}

template <class V>
void describe(V& v, StoredEvaluation& c) {
    v.field("kind", c.kind, required());
    v.field("step", c.step, at_least(0).required());
    v.field("count", c.count, at_least(0).required());
    v.field("sizes", c.sizes, at_least(1).required());
    v.field("accuracy", c.accuracy, range(0, 1).required());
    v.field("loss", c.loss, required());
    v.field("found", c.found, range(0, 1));
    v.field("bits", c.bits);
    v.field("ideal_bits", c.ideal_bits, at_least(0));
    const std::string rows = "must hold a row for each of 'sizes', each with a number for every replica";
    v.require(one_row_a_size(c, c.accuracy), "accuracy", rows);
    v.require(one_row_a_size(c, c.loss), "loss", rows);
    v.require(c.found.empty() || one_row_a_size(c, c.found), "found", rows);
    v.require(c.bits.empty() || one_row_a_size(c, c.bits), "bits", rows);
    v.require(c.ideal_bits.empty() || c.ideal_bits.size() == c.sizes.size(), "ideal_bits",
              "must hold a number for each of 'sizes'");
}

/// Of a stored row, in which null is NaN.
std::vector<std::vector<double>> with_nan(const std::vector<std::vector<std::optional<double>>>& rows) {
    std::vector<std::vector<double>> result;
    for (const auto& row : rows) {
        auto& values = result.emplace_back();
        for (const auto& value : row) values.push_back(value.value_or(std::numeric_limits<double>::quiet_NaN()));
    }
    return result;
}

double ratio(double sum, double count) {
    return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

TrainingRow row_of(const IntervalSums& sums, std::int64_t step, std::int64_t max_size, std::int64_t tokens) {
    TrainingRow row{step, max_size, tokens, {}, {}, {}};
    for (std::size_t r = 0; r < sums.steps.size(); ++r) {
        row.loss.push_back(ratio(sums.loss[r], sums.steps[r]));
        row.accuracy.push_back(ratio(sums.correct[r], sums.used[r]));
        row.norm.push_back(ratio(sums.norm[r], sums.steps[r]));
    }
    return row;
}

std::string to_json_line(const TrainingRow& row) {
    return write_json({Table{{"kind", {std::string("train")}},
                             {"step", {row.step}},
                             {"max_size", {row.max_size}},
                             {"tokens", {row.tokens}},
                             {"loss", numbers(row.loss)},
                             {"accuracy", numbers(row.accuracy)},
                             {"norm", numbers(row.norm)}}});
}

std::string to_json_line(const StageReview& review) {
    return write_json({Table{{"kind", {std::string("stage")}},
                             {"step", {review.step}},
                             {"stage", {review.stage}},
                             {"size", {review.size}},
                             {"accuracy", {review.accuracy}},
                             {"passed", {review.passed}}}});
}

Value to_table(const Evaluation& evaluation) {
    Table table{{"kind", {std::string(split_name(evaluation.split))}},
                {"step", {evaluation.step}},
                {"count", {evaluation.count}},
                {"sizes", numbers(evaluation.sizes)},
                {"accuracy", rows(evaluation.accuracy)},
                {"loss", rows(evaluation.loss)}};
    if (!evaluation.found.empty()) table.push_back({"found", rows(evaluation.found)});
    if (!evaluation.bits.empty()) table.push_back({"bits", rows(evaluation.bits)});
    if (!evaluation.ideal_bits.empty()) table.push_back({"ideal_bits", numbers(evaluation.ideal_bits)});
    if (!evaluation.per_position.empty()) {
        Array sizes;
        for (const auto& at_size : evaluation.per_position) sizes.push_back(rows(at_size));
        table.push_back({"per_position", {std::move(sizes)}});
    }
    return {std::move(table)};
}

Evaluation evaluation_from(const Value& table, const std::string& source) {
    StoredEvaluation stored;
    read_config({table, source}, stored);
    return {stored.kind,           stored.step,  stored.sizes, stored.count,          stored.accuracy,
            with_nan(stored.loss), stored.found, {},           with_nan(stored.bits), stored.ideal_bits};
}

std::vector<std::int64_t> effective_lengths(const Evaluation& evaluation, double threshold) {
    std::vector<std::int64_t> longest(evaluation.accuracy.empty() ? 0 : evaluation.accuracy.front().size(), 0);
    for (std::size_t i = 0; i < evaluation.sizes.size(); ++i)
        for (std::size_t r = 0; r < longest.size(); ++r)
            if (evaluation.accuracy[i][r] >= threshold) longest[r] = std::max(longest[r], evaluation.sizes[i]);
    return longest;
}

std::size_t best_replica(const Evaluation& evaluation) {
    const std::size_t size = ranking_size(evaluation.sizes);
    std::vector<Merit> merits;
    for (std::size_t r = 0; !evaluation.accuracy.empty() && r < evaluation.accuracy[size].size(); ++r)
        merits.push_back({evaluation.accuracy[size][r], evaluation.loss[size][r], !evaluation.bits.empty()});
    return best_of(merits);
}

}  // namespace whorl
