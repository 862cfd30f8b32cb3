// The numbers of the training steps that are asked for together (OptimizerStep): filled in on the host, used on the
// device, and what came of them back on the host.
#pragma once

#include <vector>

#include "core/backend/backend.hpp"
#include "core/training/grouping.hpp"

namespace whorl {

struct OptimizerConfig;

class StepQueue {
public:
    StepQueue(Backend& backend, std::int64_t replicas);

    /// Steps that can be asked for at once.
    std::int64_t capacity() const { return static_cast<std::int64_t>(steps.size()); }

    /// To be filled in before `upload`: step after step, and row after row of the population.
    std::vector<StepNumbers> steps;
    std::vector<ReplicaNumbers> replicas;
    /// Hands over the first `count` steps and the first `rows` replicas, which begin with the first of these steps.
    void upload(std::int64_t count, std::int64_t rows);

    /// These rows in a step of the queue; the losses are still to be named.
    OptimizerStep step(const OptimizerConfig& config, const Rows& rows) const;

    /// Waits for the first `count` steps.
    void fetch(std::int64_t count);
    const StepMetrics& metrics(std::int64_t step, std::int64_t row) const {
        return metrics_[static_cast<std::size_t>(step * stride() + row)];
    }

private:
    std::int64_t stride() const { return static_cast<std::int64_t>(replicas.size()); }

    Backend& backend_;
    Buffer memory_;
    Tensor device_steps_, device_replicas_, device_updates_, device_metrics_;
    std::vector<StepMetrics> metrics_;
};

}  // namespace whorl
