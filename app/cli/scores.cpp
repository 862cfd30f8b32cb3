#include "app/cli/scores.hpp"

#include <fmt/format.h>

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

// An answer of one token is found when that token is right.
const std::vector<std::vector<double>>& found_shares(const Evaluation& row) {
    return row.found.empty() ? row.accuracy : row.found;
}

}  // namespace

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

NeedleGrid evaluate_grid(TrainedModels& models, const Needle& task, Split split, const EvaluationConfig& on,
                         const std::vector<std::int64_t>& depths, std::int64_t positions) {
    NeedleGrid grid{depths, {}};
    for (const std::int64_t depth : depths) {
        Needle placed = task;
        placed.depth = static_cast<double>(depth) / 100;
        grid.rows.push_back(models.evaluate(*make_data_source(placed), split, on, positions));
    }
    return grid;
}

std::vector<std::int64_t> grid_sizes(std::int64_t trained) {
    std::vector<std::int64_t> sizes;
    for (const std::int64_t times : {1, 2, 4, 8, 16}) sizes.push_back(std::min(times * trained, kLargestTaskSize));
    return sizes;
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
