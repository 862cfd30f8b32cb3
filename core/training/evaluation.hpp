// What models get right on fresh examples of fixed sizes: the one loop that training, `whorl eval` and tests share.
#pragma once

#include <vector>

#include "core/model/language_model.hpp"
#include "core/training/metrics.hpp"
#include "core/training/run_config.hpp"
#include "tasks/data_source.hpp"

namespace whorl {

/// Models of one architecture, in float32, and how much of them may run at once.
struct Examinees {
    LanguageModel& model;
    const Tensor& parameters;  // [R,1,1,slice]
    Backend& backend;
    std::int64_t positions;  // of each replica, padding included; one sequence may be longer
};

/// Whether answers of this task are found or not (metrics.hpp): where an example asks for more than one token.
bool has_found_share(const DataSource& data);

/// Accuracy and loss of all examinees on the same examples at each size of `on`, and the found share where the task has
/// one (metrics.hpp). With `per_position` also the accuracy at each supervised position. An example does not depend on
/// the others, nor on the examinees. Rebinds the model and allocates; the result's step is 0.
Evaluation evaluate(const Examinees& examinees, const DataSource& data, Split split, const EvaluationConfig& on,
                    bool per_position = false);

/// Bytes that the evaluation at one size takes, parameters not counted, where at most `positions` of each of `replicas`
/// models run at once. Allocates nothing large.
std::int64_t evaluation_bytes(const LanguageModel& model, std::int64_t replicas, std::int64_t positions,
                              const DataSource& data, std::int64_t size, std::int64_t count);

/// Positions a replica that the longest training batch computes: an evaluation that keeps to them needs no more memory
/// than training, as long as one sequence does not.
std::int64_t evaluation_positions(const TrainingConfig& training, const DataSource& data);

}  // namespace whorl
