#include "core/training/batch_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/training/population.hpp"

namespace whorl {
std::int64_t limit_of(const GroupRequest& request, const Backend& backend) {
    return request.memory > 0 ? request.memory : backend.free_memory() / 10 * 9;
}

GroupRequest same_for_all(GroupRequest request, const Devices& devices) {
    std::int64_t least = limit_of(request, devices.first());
    for (std::size_t i = 1; i < devices.size(); ++i) least = std::min(least, limit_of(request, devices[i]));
    request.memory = least;
    return request;
}

void check_curriculum(const Curriculum& curriculum, const DataSource& data, const std::string& where) {
    if (curriculum.smallest() < data.min_size())
        throw UserError(where + ": it begins with sizes up to " + std::to_string(curriculum.smallest()) +
                        ", but the task's smallest is " + std::to_string(data.min_size()));
}

BatchPlan::BatchPlan(const TrainingConfig& config, const TrainingPass& pass, const LanguageModel& model,
                     const DataSource& data, std::int64_t replicas, const Backend& backend, const GroupRequest& request)
    : batch_(config.batch),
      largest_(config.curriculum.largest()),
      pass_(pass),
      model_(model),
      data_(data),
      replicas_(replicas),
      device_(backend.device()),
      limit_(limit_of(request, backend)),
      group_(1) {
    check_curriculum(config.curriculum, data, "curriculum");
    group_ = choose_group(training_need(), replicas, request, limit_);
}

std::int64_t BatchPlan::memory() const {
    const MemoryNeed need = training_need();
    return replicas_ * need.kept + need.group(group_);
}

ModelShape BatchPlan::training_shape(std::int64_t size, std::int64_t replicas) const {
    ModelShape shape;
    shape.replicas = replicas;
    shape.batch = batch_;
    shape.length = bucket_length(data_.positions(size));
    shape.slots = batch_ * data_.slots(shape.length);
    return shape;
}

ReadShape BatchPlan::evaluation_shape(std::int64_t size, std::int64_t count, std::int64_t replicas) const {
    return whorl::evaluation_shape(model_, device_, replicas, evaluation_pace(), data_, size, count);
}

EvaluationPace BatchPlan::evaluation_pace() const {
    EvaluationPace pace;
    pace.positions = batch_ * training_shape(largest_, 1).length;
    return pace;
}

std::int64_t BatchPlan::gradient_bytes(std::int64_t replicas) const {
    return replicas * model_.layout().slice() * static_cast<std::int64_t>(sizeof(float));
}

MemoryNeed BatchPlan::training_need() const {
    const ModelShape shape = training_shape(largest_, 1);
    return {Population::bytes_a_replica(model_.layout()),
            [this](std::int64_t n) { return pass_.bytes(training_shape(largest_, n)) + gradient_bytes(n); },
            fmt::format("a batch of {} sequences of {} positions", shape.batch, shape.length)};
}

MemoryNeed BatchPlan::evaluation_need(std::int64_t size, std::int64_t count) const {
    MemoryNeed need = training_need();
    need.group = [this, size, count](std::int64_t n) {
        return reading_bytes(model_, evaluation_shape(size, count, n)) +
               pass_.bytes_beside(training_shape(largest_, group_)) + gradient_bytes(group_);
    };
    return need;
}

ReadShape BatchPlan::evaluation_shape(std::int64_t size, std::int64_t count) const {
    const MemoryNeed need = evaluation_need(size, count);
    const std::int64_t left = std::max<std::int64_t>(0, limit_ - replicas_ * need.kept);
    if (need.group(group_) <= left) return evaluation_shape(size, count, group_);
    const std::int64_t fit = std::min(largest_group(need, replicas_, limit_), group_);
    if (fit == 0)
        throw UserError(fmt::format("size {} needs {}", size, shortage_text(need.group(1), " for one replica", left)));
    return evaluation_shape(size, count, fit);
}

std::int64_t BatchPlan::evaluation_memory(std::int64_t size, std::int64_t count) const {
    const MemoryNeed need = evaluation_need(size, count);
    return replicas_ * need.kept + need.group(evaluation_shape(size, count).replicas);
}

void BatchPlan::check_evaluation(const EvaluationConfig& on, const std::string& where) const {
    try {
        for (const std::int64_t size : on.sizes) evaluation_shape(size, on.count);
    } catch (const UserError& error) {
        throw UserError(where + ": " + error.what());
    }
}

}  // namespace whorl
