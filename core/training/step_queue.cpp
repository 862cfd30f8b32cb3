#include "core/training/step_queue.hpp"

#include "core/training/run_config.hpp"

namespace whorl {
namespace {

template <class T>
std::int64_t bytes_of(std::int64_t count) {
    return count * static_cast<std::int64_t>(sizeof(T));
}

template <class T>
T* start(const Tensor& tensor) {
    return reinterpret_cast<T*>(tensor.data);
}

}  // namespace

StepQueue::StepQueue(Backend& backend, std::int64_t count)
    : steps(static_cast<std::size_t>(backend.steps_ahead())),
      replicas(static_cast<std::size_t>(count)),
      backend_(backend),
      metrics_(steps.size() * replicas.size()) {
    const auto plan = [&](Arena arena) {
        device_steps_ = arena.bytes(bytes_of<StepNumbers>(capacity()));
        device_replicas_ = arena.bytes(bytes_of<ReplicaNumbers>(count));
        device_updates_ = arena.bytes(bytes_of<numerics::AdamWNumbers<double>>(count));
        device_metrics_ = arena.bytes(bytes_of<StepMetrics>(capacity() * count));
        return arena.peak();
    };
    memory_ = backend.allocate(plan({}));
    plan({memory_.data(), backend.device()});
}

void StepQueue::upload(std::int64_t count, std::int64_t rows) {
    backend_.upload(device_steps_, steps.data(), bytes_of<StepNumbers>(count));
    backend_.upload(device_replicas_, replicas.data(), bytes_of<ReplicaNumbers>(rows));
}

OptimizerStep StepQueue::step(const OptimizerConfig& config, const Rows& rows) const {
    OptimizerStep step{config.beta1, config.beta2, config.epsilon, config.clip, {}, {}, {}};
    step.steps = start<StepNumbers>(device_steps_);
    step.replicas = start<ReplicaNumbers>(device_replicas_) + rows.first;
    step.updates = device_updates_.data + bytes_of<numerics::AdamWNumbers<double>>(rows.first);
    step.metrics = start<StepMetrics>(device_metrics_) + rows.first;
    step.metrics_stride = stride();
    return step;
}

void StepQueue::fetch(std::int64_t count) {
    backend_.download(metrics_.data(), device_metrics_, bytes_of<StepMetrics>(count * stride()));
}

}  // namespace whorl
