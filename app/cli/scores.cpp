#include "app/cli/scores.hpp"

#include <fmt/format.h>

#include <cmath>

#include "app/cli/notes.hpp"
#include "core/base/error.hpp"

namespace whorl::cli {
namespace {

constexpr std::size_t kPositionsALine = 10;

Value scores(const NeedleGrid& grid, const char* key) {
    Array depths;
    for (const Evaluation& row : grid.rows) depths.push_back(*find(to_table(row), key));
    return {std::move(depths)};
}

Value whole_numbers(const std::vector<std::int64_t>& values) {
    Array items;
    for (const std::int64_t value : values) items.emplace_back(value);
    return {std::move(items)};
}

}  // namespace

double threshold_from(const Parsed& parsed) {
    const double threshold = parsed.real("threshold");
    if (!(threshold > 0 && threshold <= 1))
        throw UserError(fmt::format("--threshold: {:g} is no accuracy; expected a number in (0, 1]", threshold));
    return threshold;
}

void add_columns(Value& value, const ScoredModels& models) {
    Array numbers;
    for (const std::size_t r : models.replicas) numbers.emplace_back(static_cast<std::int64_t>(r));
    auto& table = std::get<Table>(value.data);
    table.push_back({"replicas", {std::move(numbers)}});
    table.push_back({"chance", {models.chance}});
    table.push_back({"notes", notes_value(models.notes)});
}

void print_json(const Evaluation& evaluation, const ScoredModels& models, double threshold) {
    Value value = to_table(evaluation);
    add_columns(value, models);
    Array lengths;
    for (const std::int64_t length : effective_lengths(evaluation, threshold)) lengths.emplace_back(length);
    auto& table = std::get<Table>(value.data);
    table.push_back({"threshold", {threshold}});
    table.push_back({"effective_length", {std::move(lengths)}});
    fmt::print("{}\n", write_json(value));
}

int status_of(const Evaluation& evaluation, const std::vector<std::size_t>& replicas) {
    for (std::size_t i = 0; i < evaluation.sizes.size(); ++i)
        for (std::size_t column = 0; column < replicas.size(); ++column)
            if (!std::isfinite(evaluation.loss[i][column]))
                return no_result(fmt::format("replica {}: its answers at size {} are not all numbers", replicas[column],
                                             evaluation.sizes[i]));
    return 0;
}

void print_further_scores(const Evaluation& evaluation, const std::vector<std::size_t>& replicas, double threshold) {
    if (evaluation.bits.empty()) print_effective_lengths(evaluation, replicas, threshold);
    if (!evaluation.per_position.empty()) print_positions(evaluation, replicas);
}

void print_effective_lengths(const Evaluation& evaluation, const std::vector<std::size_t>& replicas, double threshold) {
    const std::vector<std::int64_t> lengths = effective_lengths(evaluation, threshold);
    fmt::print("effective length (accuracy ≥ {:g}):", threshold);
    for (std::size_t i = 0; i < replicas.size(); ++i)
        fmt::print("{} replica {}: {}", i == 0 ? "" : ",", replicas[i],
                   lengths[i] > 0 ? std::to_string(lengths[i]) : "none of these sizes");
    fmt::print("\n");
}

void print_positions(const Evaluation& evaluation, const std::vector<std::size_t>& replicas) {
    for (std::size_t i = 0; i < evaluation.sizes.size(); ++i)
        for (std::size_t column = 0; column < replicas.size(); ++column) {
            const std::vector<double>& shares = evaluation.per_position[i][column];
            fmt::print("\naccuracy by supervised position, size {}, replica {}\n", evaluation.sizes[i],
                       replicas[column]);
            for (std::size_t k = 0; k < shares.size(); ++k) {
                if (k % kPositionsALine == 0) fmt::print("{:>6} ", k + 1);
                fmt::print(" {:.3f}{}", shares[k],
                           k % kPositionsALine == kPositionsALine - 1 || k + 1 == shares.size() ? "\n" : "");
            }
        }
}

void print_grid(const NeedleGrid& grid, const std::vector<std::size_t>& replicas, std::int64_t trained) {
    const Evaluation& first = grid.rows.front();
    fmt::print("percent of needles found, {} examples a cell, {} split; depth 0 is the beginning, trained to size {}\n",
               first.count, split_name(first.split), trained);
    for (std::size_t column = 0; column < replicas.size(); ++column) {
        fmt::print("\n{:<12}", fmt::format("replica {}", replicas[column]));
        for (const std::int64_t size : first.sizes) fmt::print(" {:>7}", size);
        fmt::print("\n");
        for (std::size_t d = 0; d < grid.depths.size(); ++d) {
            fmt::print("depth {:>3} % ", grid.depths[d]);
            for (const auto& at_size : found_shares(grid.rows[d])) fmt::print(" {:>7.1f}", 100 * at_size[column]);
            fmt::print("\n");
        }
    }
}

Value to_table(const NeedleGrid& grid) {
    const Evaluation& first = grid.rows.front();
    Table table{{"kind", {std::string(split_name(first.split))}},
                {"step", {first.step}},
                {"count", {first.count}},
                {"sizes", whole_numbers(first.sizes)},
                {"depths", whole_numbers(grid.depths)},
                {"accuracy", scores(grid, "accuracy")}};
    if (!first.found.empty()) table.push_back({"found", scores(grid, "found")});
    return {std::move(table)};
}

}  // namespace whorl::cli
