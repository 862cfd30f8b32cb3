// How the learning rate and the difficulty change over a run, as functions of the step alone.
#pragma once

#include <cstdint>
#include <vector>

#include "core/config/config_binding.hpp"

namespace whorl {

enum class ScheduleShape { cosine, constant };
constexpr auto enum_names(ScheduleShape) {
    return std::to_array<EnumName<ScheduleShape>>(
        {{ScheduleShape::cosine, "cosine"}, {ScheduleShape::constant, "constant"}});
}

/// Linear warm-up, then a half cosine down to `final`, or constant.
struct Schedule {
    ScheduleShape shape = ScheduleShape::cosine;
    double warmup = 0.05;  // share of all steps
    double final = 0.0;    // factor at the last step
};

/// What the learning rate is multiplied with at `step` (from 0) of `steps`, in (0, 1].
double schedule_factor(const Schedule& schedule, std::int64_t step, std::int64_t steps);

enum class CurriculumShape { fixed, linear, stages };
constexpr auto enum_names(CurriculumShape) {
    return std::to_array<EnumName<CurriculumShape>>(
        {{CurriculumShape::fixed, "fixed"}, {CurriculumShape::linear, "linear"}, {CurriculumShape::stages, "stages"}});
}

/// The largest size of a training example. fixed: `end`. linear: from `start` to `end` during the first `growth` of the
/// run, then `end`. stages: the entries of `stages`, each for `steps_per_stage` steps (0: equal shares of the run), the
/// last one until the end. With `advance_at` a stage ends when, at a validation, the median replica's accuracy at the
/// stage's size is at least that, and after `steps_per_stage` steps at the latest (0: not before). Then what a replica
/// computes depends on the others: the run is no longer same_replica, only same_setup.
struct Curriculum {
    CurriculumShape shape = CurriculumShape::linear;
    std::int64_t start = 8, end = 40;
    double growth = 0.5;
    std::vector<std::int64_t> stages;
    std::int64_t steps_per_stage = 0;
    double advance_at = 0;  // 0: by the step alone

    bool reacts() const { return advance_at > 0; }
    std::int64_t smallest() const;  // the largest size when it is at its smallest
    std::int64_t largest() const;
};

/// How far a curriculum that reacts has come.
struct StageProgress {
    std::int64_t stage = 0;
    std::int64_t since = 0;  // the step it began with
};

/// Largest size at `step` (from 0) of `steps`, for a curriculum that does not react.
std::int64_t max_size(const Curriculum& curriculum, std::int64_t step, std::int64_t steps);

inline constexpr std::int64_t kBucket = 8;

/// The length that batches of `positions` are padded to: early training stays cheap, and shapes change seldom.
constexpr std::int64_t bucket_length(std::int64_t positions) {
    return (positions + kBucket - 1) / kBucket * kBucket;
}

template <class V>
void describe(V& v, Schedule& c) {
    v.field("shape", c.shape);
    v.field("warmup", c.warmup, range(0, 1));
    v.field("final", c.final, range(0, 1));
}

inline constexpr double kLargestSize = 1 << 20;

template <class V>
void describe(V& v, Curriculum& c) {
    v.field("shape", c.shape);
    v.field("start", c.start, range(2, kLargestSize));
    v.field("end", c.end, range(2, kLargestSize));
    v.field("growth", c.growth, range(0, 1));
    v.field("stages", c.stages, range(2, kLargestSize));
    v.field("steps_per_stage", c.steps_per_stage, at_least(0));
    v.field("advance_at", c.advance_at, range(0, 1));
    v.require(c.shape != CurriculumShape::linear || c.start <= c.end, "start", "must not exceed 'end'");
    v.require(c.shape != CurriculumShape::stages || !c.stages.empty(), "stages", "must list at least one size");
    v.require(!c.reacts() || c.shape == CurriculumShape::stages, "advance_at", "ends stages: needs shape = \"stages\"");
}

template <class V>
void describe(V& v, StageProgress& c) {
    v.field("stage", c.stage, at_least(0));
    v.field("since", c.since, at_least(0));
}

}  // namespace whorl
