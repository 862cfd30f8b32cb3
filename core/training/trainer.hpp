// Trains a population: all replicas take every step together, each with its own data, learning rate and decay. A
// population too large for the memory takes each step group by group; a replica that is stopped costs nothing more.
// Several devices have a share each (share.hpp) and work at the same time, each asked by a thread of its own.
//
// What replica r computes depends on its own ReplicaHyper, the configs and the step only: not on the other replicas,
// the groups, the number of threads or devices, or where a run was interrupted (determinism: same_replica) — unless the
// curriculum reacts to the population, or devices share batches (data_parallel), which leaves same_setup.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/crew.hpp"
#include "core/training/share.hpp"

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
    /// Allocates everything for the longest training batch. `data` and the backends must outlive the trainer; of more
    /// devices than replicas the first ones are used. `request` is each device's. Throws UserError for a curriculum
    /// that starts below the task's smallest size, for a population or group that the memory does not hold (it says how
    /// many fit), and where data_parallel asks for other devices.
    Trainer(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
            std::vector<ReplicaHyper> replicas, const Devices& devices, const GroupRequest& request = {});

    /// Of the first device, whose share is the largest.
    const LanguageModel& model() const { return shares_.front()->model(); }
    const Population& population() const { return shares_.front()->population(); }
    const BatchPlan& plan() const { return shares_.front()->plan(); }

    const std::vector<ReplicaHyper>& replicas() const { return replicas_; }
    /// How the work is shared out, one entry a device.
    const std::vector<ShareOfWork>& shares() const { return works_; }

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
    std::int64_t steps_ahead() const { return static_cast<std::int64_t>(steps_.size()); }

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

    /// One replica's parameters as they are now, laid out as model().layout() says; its moments are left where they
    /// are. Changes nothing.
    std::vector<float> parameters(std::size_t replica) const;

    TrainerSnapshot snapshot() const;
    /// The snapshot must come from a trainer with the same configs and number of replicas; checkpoint.hpp checks files
    /// for that.
    void restore(const TrainerSnapshot& snapshot);

private:
    std::int64_t size_at(std::int64_t step, const StageProgress& stage) const;
    bool in_last_stage(const StageProgress& stage) const;
    StageProgress stage_in_time(const StageProgress& stage, std::int64_t step) const;

    void make_shares(const ModelConfig& model, const Devices& devices, GroupRequest request);
    void abandon() const;
    /// work(share) for all of them, at the same time; each share's on its own thread.
    template <class Work>
    void on_shares(const Work& work) const;
    /// Devices that share batches agree: the first speaks for all of them.
    bool speaks(const Share& share) const { return communicators_.empty() || &share == shares_.front().get(); }

    void plan_steps(std::int64_t count);
    void take_in(std::int64_t count);
    void check_agreement(std::int64_t k);
    void follow(std::size_t replica, const StepMetrics& metrics);
    void stop(std::size_t replica, StopReason reason);
    void retire();

    std::int64_t rows_to_evaluate(const Share& share, const Evaluation* known) const;
    void evaluate_size(std::int64_t size, const Evaluation* known, Evaluation& evaluation, const EvaluationConfig& on,
                       bool running_only);

    TrainingConfig config_;
    const DataSource& data_;
    std::vector<ReplicaHyper> replicas_;
    std::vector<ShareOfWork> works_;
    std::vector<std::unique_ptr<Communicator>> communicators_;  // only of devices that share batches
    mutable Crew crew_;
    std::vector<std::unique_ptr<Share>> shares_;
    std::vector<StepNumbers> steps_;  // that are asked for together
    std::vector<StageProgress> stages_;

    std::int64_t step_ = 0, tokens_ = 0;
    StageProgress stage_;
    Standing standing_;
    std::int64_t running_ = 0;
    IntervalSums sums_;
};

}  // namespace whorl
