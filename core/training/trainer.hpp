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
#include "core/training/batch_plan.hpp"
#include "core/training/metrics.hpp"
#include "core/training/population.hpp"
#include "core/training/run_config.hpp"
#include "core/training/training_step.hpp"

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
    /// Steps that are taken without the host waiting in between: worth asking for at once.
    std::int64_t steps_ahead() const { return backend_.steps_ahead(); }

    /// Means since the last call; the sums start again.
    TrainingRow take_row();
    /// Means since the last take_row; the sums go on.
    TrainingRow peek_row() const { return row_of(sums_, step_, size_at(step_ - 1, stage_), tokens_); }

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
    std::int64_t size_at(std::int64_t step, const StageProgress& stage) const;
    bool in_last_stage(const StageProgress& stage) const;
    StageProgress stage_in_time(const StageProgress& stage, std::int64_t step) const;

    void plan_steps(std::int64_t count);
    void ask_for(std::int64_t count);
    void take_in(std::int64_t count);
    void follow(std::size_t replica, const StepMetrics& metrics);
    void stop(std::size_t replica, StopReason reason);
    void retire();
    void retire_stopped_at(std::int64_t step);

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
    TrainingStep work_;
    std::vector<StageProgress> stages_;  // of the steps that are asked for together

    std::int64_t step_ = 0, tokens_ = 0;
    StageProgress stage_;
    Standing standing_;
    std::int64_t running_ = 0;  // these replicas stand in the first rows, those stopped last behind them
    std::vector<Rows> groups_;  // of the running ones
    IntervalSums sums_;
};

}  // namespace whorl
