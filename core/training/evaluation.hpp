// What models get right on fresh examples of fixed sizes: the one loop that training, `whorl eval` and tests share.
#pragma once

#include <functional>
#include <vector>

#include "core/model/piece_reader.hpp"
#include "core/training/metrics.hpp"
#include "core/training/run_config.hpp"
#include "tasks/data_source.hpp"

namespace whorl {

/// How far an evaluation is: positions of all its examples, and the share of the work, which with attention grows with
/// the square of an example's length.
struct EvaluationProgress {
    std::int64_t done = 0, total = 0;
    double share = 0;
};

/// How much of a model runs at once, and who hears of it.
struct EvaluationPace {
    std::int64_t positions = 16384;  // of each replica, padding included; one piece of a sequence may be longer
    std::int64_t piece = 0;          // positions of longer sequences at a time (piece_reader.hpp); 0: the device's
    std::function<void(const EvaluationProgress&)> progress{};  // called before the first piece and after each

    /// The same, as number `part` of `parts` like evaluations, of all of which `progress` hears.
    EvaluationPace part_of(std::int64_t part, std::int64_t parts) const;
};

/// Models of one architecture, in float32.
struct Examinees {
    LanguageModel& model;
    const Tensor& parameters;  // [R,1,1,slice]
    Backend& backend;
    EvaluationPace pace;
};

/// Whether answers of this task are found or not (metrics.hpp): where an example asks for more than one token.
bool has_found_share(const DataSource& data);

/// The example that every evaluation asks for as number `index` of `size`.
SampleKey evaluation_key(const EvaluationConfig& on, Split split, std::int64_t size, std::int64_t index);

/// What a task that is scored in bits adds to a finished evaluation of `on`: the loss in bits, and the bits of the best
/// possible predictor on the same examples, if the task knows one (metrics.hpp).
void add_bits(Evaluation& evaluation, const DataSource& data, const EvaluationConfig& on);

/// Accuracy and loss of all examinees on the same examples at each size of `on`, and the found share where the task has
/// one (metrics.hpp); no bits (add_bits). With `per_position` also the accuracy at each supervised position. An example
/// does not depend on the others, nor on the examinees. Rebinds the model and allocates; the result's step is 0.
Evaluation evaluate(const Examinees& examinees, const DataSource& data, Split split, const EvaluationConfig& on,
                    bool per_position = false);

/// What runs at once in the evaluation of `count` examples of one size.
ReadShape evaluation_shape(const LanguageModel& model, Device device, std::int64_t replicas, const EvaluationPace& pace,
                           const DataSource& data, std::int64_t size, std::int64_t count);

/// Bytes that an evaluation of that shape takes, parameters not counted. Allocates nothing large.
std::int64_t evaluation_bytes(const LanguageModel& model, const ReadShape& shape);

/// Positions a replica that the longest training batch computes: an evaluation that keeps to them needs no more memory
/// than training, as long as one sequence does not.
std::int64_t evaluation_positions(const TrainingConfig& training, const DataSource& data);

}  // namespace whorl
