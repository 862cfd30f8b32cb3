// What one training step does, from making the batch to AdamW, for the rows of a population that are computed at once.
// On a device that makes batches itself it is one recording a shape, with nothing from the host between one step and
// the next.
#pragma once

#include <memory>

#include "core/model/training_pass.hpp"
#include "core/training/batch.hpp"
#include "core/training/population.hpp"
#include "core/training/run_config.hpp"
#include "core/training/step_queue.hpp"
#include "core/training/step_recordings.hpp"

namespace whorl {

/// Which sequences of each batch a step computes with: as many as the pass is bound to, from the first on. The
/// communicator connects it to the devices that compute with the others; null: there are no others.
struct BatchPart {
    std::int64_t first = 0;
    Communicator* others = nullptr;
};

class TrainingStep {
public:
    /// `longest` is the longest shape that the pass will be bound to, and of the most replicas. The references must
    /// outlive the step.
    TrainingStep(const TrainingConfig& config, const DataSource& data, TrainingPass& pass, const ModelShape& longest,
                 Population& population, Backend& backend, const BatchPart& part = {});

    /// The steps asked for together: to be filled in and uploaded first, to be fetched afterwards.
    StepQueue& queue() { return queue_; }

    /// Asks for step `at` of the queue, for these rows in the shape that the pass is bound to. Each row takes its steps
    /// in order.
    void ask(std::int64_t at, const Rows& rows);
    /// What the last `ask` handed to the device at once: see Recording::nodes.
    std::int64_t nodes() const { return recordings_.nodes(); }

private:
    void load(std::int64_t at, const Rows& rows);
    void work(const Rows& rows);

    const TrainingConfig& config_;
    const DataSource& data_;
    TrainingPass& pass_;
    Population& population_;
    Backend& backend_;
    BatchPart part_;
    StepQueue queue_;
    std::unique_ptr<DeviceBatch> maker_;  // null: the host makes the batch
    BatchLoader loader_;
    std::int64_t most_replicas_;  // what the loader is bound for: groups differ by one
    StepRecordings recordings_;
    Buffer scratch_;
    Tensor norm_scratch_;
};

}  // namespace whorl
