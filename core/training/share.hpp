// What one device does of a population's training: the steps of some replicas, or of all of them on a part of each
// batch. Decisions are the Trainer's; a share knows its replicas by their numbers in the population.
//
// All calls of one share come from one thread, attached to the share's backend.
#pragma once

#include <memory>
#include <vector>

#include "core/model/training_pass.hpp"
#include "core/training/batch_plan.hpp"
#include "core/training/metrics.hpp"
#include "core/training/population.hpp"
#include "core/training/run_config.hpp"
#include "core/training/training_step.hpp"

namespace whorl {

/// Replicas [replicas.first, + count) of the population, and sequences [sequences.first, + count) of each batch.
struct ShareOfWork {
    Rows replicas, sequences;
    Communicator* others = nullptr;  // of devices that have the other sequences
};

/// What each of up to `devices` devices has to do: replicas are shared out, or, with config.data_parallel, each batch.
/// Throws UserError when data_parallel asks for another number of devices.
std::vector<ShareOfWork> shares_of_work(const TrainingConfig& config, std::int64_t replicas, std::size_t devices);

/// An evaluation that a run will make.
struct NamedEvaluation {
    const EvaluationConfig& on;
    const char* name;  // begins messages
};

/// What one device's share of a run takes.
struct ShareEstimate {
    ShareOfWork work;
    std::int64_t group = 0;            // replicas at once
    std::int64_t training = 0;         // bytes
    std::int64_t evaluation = 0;       // bytes of the evaluation that takes most, 0: there is none
    std::int64_t evaluation_size = 0;  // of that one
};

/// Allocates nothing large; throws UserError as BatchPlan does, and for sizes of `evaluations` that the memory does not
/// hold.
ShareEstimate estimate_share(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
                             const ShareOfWork& work, Backend& backend, const GroupRequest& request,
                             const std::vector<NamedEvaluation>& evaluations = {});

class Share {
public:
    /// `population` has all replicas. Allocates everything for the longest training batch. `data`, `backend` and
    /// work.others must outlive the share.
    Share(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
          const std::vector<ReplicaHyper>& population, const ShareOfWork& work, Backend& backend,
          const GroupRequest& request);

    /// Before the first step, on all shares at the same time: devices that share batches open the ways between them.
    void connect();

    Backend& backend() const { return backend_; }
    const LanguageModel& model() const { return model_; }
    const Population& population() const { return population_; }
    const BatchPlan& plan() const { return plan_; }

    /// Steps that can be taken at once.
    std::int64_t capacity() { return work_.queue().capacity(); }
    /// The running replicas take these steps; returns when they are done.
    void take(const std::vector<StepNumbers>& steps, std::int64_t count);
    /// What came of step `k` of them for a row.
    const StepMetrics& metrics(std::int64_t k, std::int64_t row) { return work_.queue().metrics(k, row); }

    /// Rows whose replicas take steps: they stand in front, those stopped last behind them.
    std::int64_t running() const { return running_; }
    std::int64_t rows() const { return population_.replicas(); }
    /// The population's replica in a row.
    std::size_t replica_at(std::int64_t row) const { return first_ + population_.replica_at(row); }
    /// Replicas that were stopped leave the front rows: those that stopped first go furthest back. `stopped_at` is of
    /// the whole population (Standing).
    void retire(const std::vector<std::int64_t>& stopped_at);

    /// The first `rows` rows at one size, in the last columns of `evaluation`.
    void evaluate(std::int64_t size, std::int64_t rows, Evaluation& evaluation, const EvaluationConfig& on);

    /// Whether one of the population's replicas is here, and its parameters.
    bool has(std::size_t replica) const { return replica >= first_ && replica < first_ + replicas_.size(); }
    std::vector<float> parameters_of(std::size_t replica) const { return population_.parameters_of(replica - first_); }

    /// Copies this share's slices into those of the whole population, and back.
    void collect(PopulationValues& all) const;
    void restore(const PopulationValues& all, const std::vector<std::int64_t>& stopped_at);

private:
    void retire_stopped_at(std::int64_t step, const std::vector<std::int64_t>& stopped_at);

    TrainingConfig config_;  // its batch is this share's part
    const DataSource& data_;
    std::size_t first_;  // of its replicas
    std::vector<ReplicaHyper> replicas_;
    Backend& backend_;
    Communicator* others_;
    LanguageModel model_;  // bound by evaluation, and by a pass that takes the batch as a whole
    std::unique_ptr<TrainingPass> pass_;
    BatchPlan plan_;
    Population population_;
    TrainingStep work_;
    std::int64_t running_;
    std::vector<Rows> groups_;  // of the running ones
};

}  // namespace whorl
