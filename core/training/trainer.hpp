// Trains a population: all replicas take every step together, each with its own data, learning rate and decay.
//
// What replica r computes depends on its own ReplicaHyper, the configs and the step only: not on the other replicas,
// the number of threads, or where a run was interrupted (determinism: same_replica).
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/language_model.hpp"
#include "core/training/batch.hpp"
#include "core/training/metrics.hpp"
#include "core/training/population.hpp"
#include "core/training/run_config.hpp"

namespace whorl {

/// All that a later process needs to go on with the same bits.
struct TrainerSnapshot {
    std::int64_t step = 0;
    std::int64_t tokens = 0;               // positions each replica has computed
    std::vector<std::int64_t> stopped_at;  // step at which the replica was stopped, -1: it goes on
    IntervalSums sums;                     // since the last metrics row
    PopulationValues values;
};

/// Throws UserError beginning with `where` for a curriculum that is somewhere below the task's smallest size.
void check_curriculum(const Curriculum& curriculum, const DataSource& data, const std::string& where);

class Trainer {
public:
    /// Allocates everything for the longest training batch. `data` and `backend` must outlive the trainer. Throws
    /// UserError for a curriculum that starts below the task's smallest size, RuntimeFailure when the memory does not
    /// suffice.
    Trainer(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
            std::vector<ReplicaHyper> replicas, Backend& backend);

    const LanguageModel& model() const { return model_; }
    const Population& population() const { return population_; }
    const std::vector<ReplicaHyper>& replicas() const { return replicas_; }
    /// Step at which a replica was stopped because its loss or gradient was no longer finite; -1: it goes on.
    const std::vector<std::int64_t>& stopped_at() const { return stopped_at_; }
    std::int64_t alive() const;

    std::int64_t steps_done() const { return step_; }
    /// All steps done, or no replica left that could take one.
    bool finished() const { return step_ >= config_.steps || alive() == 0; }
    /// Takes `count` steps, fewer at the end of the run. Allocates nothing while the padded length stays the same.
    void step(std::int64_t count = 1);

    /// Means since the last call; the sums start again.
    TrainingRow take_row();
    /// Means since the last take_row; the sums go on.
    TrainingRow peek_row() const { return row_of(sums_, step_, size_at(step_ - 1), tokens_); }

    /// Accuracy and loss of every replica on the same examples. Changes nothing that training depends on.
    Evaluation evaluate(Split split, const EvaluationConfig& on);

    TrainerSnapshot snapshot() const;
    /// The snapshot must come from a trainer with the same configs and number of replicas; checkpoint.hpp checks files
    /// for that.
    void restore(const TrainerSnapshot& snapshot);

private:
    std::int64_t size_at(std::int64_t step) const {
        return max_size(config_.curriculum, step < 0 ? 0 : step, config_.steps);
    }
    ModelShape training_shape(std::int64_t size) const;
    void allocate_numbers();
    void bind(const ModelShape& shape);
    void load_batch(std::int64_t size);
    void update();
    void decide(std::size_t r);
    void download_sums();

    TrainingConfig config_;
    const DataSource& data_;
    std::vector<ReplicaHyper> replicas_;
    Backend& backend_;
    LanguageModel model_;
    Population population_;
    BatchLoader loader_;

    Buffer small_, norm_scratch_;  // one number a replica each
    Tensor learning_rate_, weight_decay_, clip_scale_, norm_, norm_work_;
    std::vector<double> rate_host_, clip_host_, loss_host_, correct_host_, used_host_, norm_host_, download_;

    std::int64_t step_ = 0, tokens_ = 0;
    std::vector<std::int64_t> stopped_at_;
    IntervalSums sums_;
};

}  // namespace whorl
