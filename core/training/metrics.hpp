// What a run reports: append-only rows, one JSON object a line of metrics.jsonl. Rows hold nothing that depends on time
// or machine load, so that an interrupted run leaves the same rows as an uninterrupted one.
#pragma once

#include <string>
#include <vector>

#include "core/config/value.hpp"
#include "tasks/sample.hpp"

namespace whorl {

/// Sums over the steps since the last row, per replica; dead replicas add nothing.
struct IntervalSums {
    std::vector<double> loss, norm, correct, used, steps;

    explicit IntervalSums(std::size_t replicas = 0)
        : loss(replicas), norm(replicas), correct(replicas), used(replicas), steps(replicas) {}
};

/// Training since the last row: means per replica, NaN for a replica that took no step.
struct TrainingRow {
    std::int64_t step = 0;      // steps done
    std::int64_t max_size = 0;  // of the last step
    std::int64_t tokens = 0;    // positions computed so far by each replica, padding included
    std::vector<double> loss, accuracy, norm;
};

/// Accuracy over supervised positions on fresh examples of fixed sizes: accuracy[size][replica], loss likewise.
/// Further scores, each empty where it does not apply:
///     found[size][replica]            share of answers all of whose tokens are right, for tasks whose examples ask for
///                                     several tokens that make up whole answers (a needle's values)
///     bits[size][replica]             loss in bits a token, for tasks that foretell the next token
///     ideal_bits[size]                the same of the best possible predictor on the same examples, where one is known
///     per_position[size][replica][k]  accuracy at an example's k-th supervised position, on request: not in metrics
struct Evaluation {
    Split split = Split::validation;
    std::int64_t step = 0;
    std::vector<std::int64_t> sizes;
    std::int64_t count = 0;  // examples a size
    std::vector<std::vector<double>> accuracy, loss;
    std::vector<std::vector<double>> found{};
    std::vector<std::vector<std::vector<double>>> per_position{};
    std::vector<std::vector<double>> bits{};
    std::vector<double> ideal_bits{};
};

/// Whether a stage of the curriculum is passed (Curriculum::advance_at).
struct StageReview {
    std::int64_t step = 0, stage = 0, size = 0;
    double accuracy = 0;  // the median replica's, at that size
    bool passed = false;
};

TrainingRow row_of(const IntervalSums& sums, std::int64_t step, std::int64_t max_size, std::int64_t tokens);

std::string to_json_line(const TrainingRow& row);
std::string to_json_line(const StageReview& review);
/// An evaluation as a table of numbers, with the keys `found`, `bits`, `ideal_bits` and `per_position` only where these
/// apply; the loss of a replica that failed is NaN, in JSON null.
Value to_table(const Evaluation& evaluation);
/// Reads one back from such a table. Throws UserError naming `source` and the key unless all its rows are as long as
/// one another and there is one for each size; no sizes at all are an evaluation that did not take place.
Evaluation evaluation_from(const Value& table, const std::string& source);

/// The longest evaluated size at which a replica's accuracy is at least `threshold`, per replica; 0: none is.
std::vector<std::int64_t> effective_lengths(const Evaluation& evaluation, double threshold);

/// The best replica by the rule of core/base/merit.hpp; 0 when nothing was evaluated.
std::size_t best_replica(const Evaluation& evaluation);

/// "train", "validation" or "test": also the `kind` of a metrics row.
const char* split_name(Split split);
/// The split of that name. Throws UserError, beginning with `where`, with the nearest name.
Split split_named(const std::string& name, const std::string& where);

}  // namespace whorl
