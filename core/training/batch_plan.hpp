// The shapes in which a population is trained and evaluated, and how many replicas of them the memory holds at once.
#pragma once

#include <string>

#include "core/model/training_pass.hpp"
#include "core/training/evaluation.hpp"
#include "core/training/grouping.hpp"

namespace whorl {

/// Bytes of the backend's memory that `request` means.
std::int64_t limit_of(const GroupRequest& request, const Backend& backend);
/// The request with the memory of the device that has least, for devices that must plan alike.
GroupRequest same_for_all(GroupRequest request, const Devices& devices);

class BatchPlan {
public:
    /// Computes, allocates nothing large. The references must outlive the plan. Throws UserError for a curriculum that
    /// is somewhere below the task's smallest size, and for a population or group that the memory does not hold (it
    /// says how many fit).
    BatchPlan(const TrainingConfig& config, const TrainingPass& pass, const LanguageModel& model,
              const DataSource& data, std::int64_t replicas, const Backend& backend, const GroupRequest& request);

    /// Replicas computed at once, at most.
    std::int64_t group() const { return group_; }
    /// Bytes of all replicas' parameters and moments and of a group's training batch.
    std::int64_t memory() const;

    ModelShape training_shape(std::int64_t size, std::int64_t replicas) const;
    /// No more positions of a replica at once than training takes.
    EvaluationPace evaluation_pace() const;
    /// So many examples at once, of as many replicas as fit. Throws UserError when not even one does.
    ReadShape evaluation_shape(std::int64_t size, std::int64_t count) const;
    /// Bytes of all replicas and of the evaluation at `size` beside what training keeps. Throws as evaluation_shape.
    std::int64_t evaluation_memory(std::int64_t size, std::int64_t count) const;
    /// Throws UserError, beginning with `where`, for sizes whose evaluation the memory does not hold.
    void check_evaluation(const EvaluationConfig& on, const std::string& where) const;

private:
    ReadShape evaluation_shape(std::int64_t size, std::int64_t count, std::int64_t replicas) const;
    MemoryNeed training_need() const;
    MemoryNeed evaluation_need(std::int64_t size, std::int64_t count) const;
    std::int64_t gradient_bytes(std::int64_t replicas) const;

    std::int64_t batch_, largest_;  // sequences a replica and step; the curriculum's largest size
    const TrainingPass& pass_;
    const LanguageModel& model_;  // which evaluates
    const DataSource& data_;
    std::int64_t replicas_;
    Device device_;
    std::int64_t limit_, group_;  // limit: bytes that may be used
};

/// Throws UserError beginning with `where` for a curriculum that is somewhere below the task's smallest size.
void check_curriculum(const Curriculum& curriculum, const DataSource& data, const std::string& where);

}  // namespace whorl
