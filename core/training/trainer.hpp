// Trains a population: all replicas take every step together, each with its own data, learning rate and decay. A
// population too large for the memory takes each step group by group; a replica that is stopped costs nothing more.
//
// What replica r computes depends on its own ReplicaHyper, the configs and the step only: not on the other replicas,
// the groups, the number of threads, or where a run was interrupted (determinism: same_replica) — unless the curriculum
// reacts to the population, which leaves same_setup.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/model/training_pass.hpp"
#include "core/training/batch.hpp"
#include "core/training/batch_plan.hpp"
#include "core/training/metrics.hpp"
#include "core/training/population.hpp"
#include "core/training/run_config.hpp"
#include "core/training/step_recordings.hpp"

namespace whorl {

/// All that a later process needs to go on with the same bits.
struct TrainerSnapshot {
    std::int64_t step = 0;
    std::int64_t tokens = 0;  // positions each replica has computed
    StageProgress stage;
    Standing standing;
    IntervalSums sums;  // since the last metrics row
    PopulationValues values;
};

class Trainer {
public:
    /// Allocates everything for the longest training batch. `data` and `backend` must outlive the trainer. Throws
    /// UserError for a curriculum that starts below the task's smallest size, and for a population or group that the
    /// memory does not hold (it says how many fit).
    Trainer(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
            std::vector<ReplicaHyper> replicas, Backend& backend, const GroupRequest& request = {});

    const LanguageModel& model() const { return model_; }
    const Population& population() const { return population_; }
    const std::vector<ReplicaHyper>& replicas() const { return replicas_; }
    const BatchPlan& plan() const { return plan_; }

    const Standing& standing() const { return standing_; }
    const std::vector<std::int64_t>& stopped_at() const { return standing_.stopped_at; }
    /// Replicas that take steps.
    std::int64_t alive() const { return running_; }

    std::int64_t steps_done() const { return step_; }
    /// All steps done, or no replica left that could take one.
    bool finished() const { return step_ >= config_.steps || running_ == 0; }
    /// Takes `count` steps, fewer at the end of the run. Allocates nothing while the padded length stays the same and
    /// no replica stops.
    void step(std::int64_t count = 1);

    /// Means since the last call; the sums start again.
    TrainingRow take_row();
    /// Means since the last take_row; the sums go on.
    TrainingRow peek_row() const { return row_of(sums_, step_, size_at(step_ - 1), tokens_); }

    /// Accuracy and loss of every replica on the same examples. Changes nothing that training depends on. `known`, an
    /// earlier result of the same question, saves the work for replicas that were stopped before it.
    Evaluation evaluate(Split split, const EvaluationConfig& on, const Evaluation* known = nullptr);
    /// What training learns from a validation: replicas that are solved stop (early_stop).
    void observe(const Evaluation& validation);
    /// For a curriculum that reacts, unless it is in its last stage: evaluates the replicas that train at the stage's
    /// size, on validation examples (`on`: how many, which seed), and goes to the next stage when the median passes.
    std::optional<StageReview> review_stage(const EvaluationConfig& on);

    TrainerSnapshot snapshot() const;
    /// The snapshot must come from a trainer with the same configs and number of replicas; checkpoint.hpp checks files
    /// for that.
    void restore(const TrainerSnapshot& snapshot);

private:
    std::int64_t size_at(std::int64_t step) const;
    bool in_last_stage() const;
    void begin_stage_in_time();
    void allocate_numbers();

    void load_batch(std::int64_t size, const Rows& rows);
    void compute(const Rows& rows);
    void update(const Rows& rows);
    bool follows(std::size_t i, std::size_t replica);
    void download_sums();
    void stop(std::size_t replica, StopReason reason);
    void retire();

    std::int64_t rows_to_evaluate(const Evaluation* known) const;
    void evaluate_size(std::int64_t size, std::int64_t rows, Evaluation& evaluation, const EvaluationConfig& on);

    TrainingConfig config_;
    const DataSource& data_;
    std::vector<ReplicaHyper> replicas_;
    Backend& backend_;
    LanguageModel model_;  // bound by evaluation, and by a pass that takes the batch as a whole
    std::unique_ptr<TrainingPass> pass_;
    BatchPlan plan_;
    Population population_;
    BatchLoader loader_;
    StepRecordings recordings_;

    Buffer small_, norm_scratch_;  // one number for each replica of a group
    Tensor learning_rate_, weight_decay_, clip_scale_, norm_, norm_work_;
    std::vector<double> rate_host_, decay_host_, clip_host_, loss_host_, correct_host_, used_host_, norm_host_,
        download_;

    std::int64_t step_ = 0, tokens_ = 0;
    StageProgress stage_;
    Standing standing_;
    std::int64_t running_ = 0;  // these replicas stand in the first rows, those stopped last behind them
    std::vector<Rows> groups_;  // of the running ones
    IntervalSums sums_;
};

}  // namespace whorl
