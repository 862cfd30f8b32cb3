// What `whorl eval` shows beside accuracy: how far a model gets, where in an example it is right, and the needle grid.
#pragma once

#include <string>
#include <vector>

#include "app/cli/options.hpp"
#include "app/inference/needle_grid.hpp"
#include "app/run/setup.hpp"
#include "core/training/metrics.hpp"

namespace whorl::cli {

/// Whose scores are printed: column i of an evaluation is replica replicas[i].
struct ScoredModels {
    std::vector<std::size_t> replicas;
    double chance = 0;
    std::vector<std::string> notes;
};

/// --threshold. Throws UserError for what is no accuracy.
double threshold_from(const Parsed& parsed);

/// What all evaluations say as {…, replicas, chance, notes}, and as an object with the effective lengths, printed.
void add_columns(Value& value, const ScoredModels& models);
void print_json(const Evaluation& evaluation, const ScoredModels& models, double threshold);

/// Behind the table of accuracy: effective lengths (not of language, where accuracy means little), and positions where
/// the evaluation has them.
void print_further_scores(const Evaluation& evaluation, const std::vector<std::size_t>& replicas, double threshold);

/// 1, said on stderr, where answers were no numbers: their accuracy is that of nothing. Otherwise 0.
int status_of(const Evaluation& evaluation, const std::vector<std::size_t>& replicas);

/// "effective length (accuracy ≥ 0.9): replica 3: 64". Column i of `evaluation` is replica replicas[i].
void print_effective_lengths(const Evaluation& evaluation, const std::vector<std::size_t>& replicas, double threshold);

/// Accuracy at the 1st, 2nd, … supervised position of an example, ten a line, for each size and replica.
void print_positions(const Evaluation& evaluation, const std::vector<std::size_t>& replicas);

/// Percent of needles found, a table for each replica: depths down, sizes across.
void print_grid(const NeedleGrid& grid, const std::vector<std::size_t>& replicas, std::int64_t trained);

/// The grid as {sizes, depths, count, accuracy[depth][size][replica], found[depth][size][replica] where it differs, …}.
Value to_table(const NeedleGrid& grid);

}  // namespace whorl::cli
