#include "core/training/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "core/numerics/rotation.hpp"

namespace whorl {

double schedule_factor(const Schedule& schedule, std::int64_t step, std::int64_t steps) {
    const double warm = std::floor(schedule.warmup * static_cast<double>(steps)), now = static_cast<double>(step);
    if (now < warm) return (now + 1) / warm;  // never 0: the first step would be lost
    if (schedule.shape == ScheduleShape::constant) return 1;
    const double done = (now - warm) / std::max(1.0, static_cast<double>(steps) - warm);
    const double cosine = numerics::sincos(numerics::pi<double> * std::min(done, 1.0)).cos;
    return schedule.final + (1 - schedule.final) * 0.5 * (1 + cosine);
}

std::int64_t Curriculum::smallest() const {
    if (shape == CurriculumShape::stages) return *std::min_element(stages.begin(), stages.end());
    return shape == CurriculumShape::linear ? start : end;
}

std::int64_t Curriculum::largest() const {
    return shape == CurriculumShape::stages ? *std::max_element(stages.begin(), stages.end()) : end;
}

std::int64_t max_size(const Curriculum& curriculum, std::int64_t step, std::int64_t steps) {
    if (curriculum.shape == CurriculumShape::fixed) return curriculum.end;
    if (curriculum.shape == CurriculumShape::linear) {
        const double growing = curriculum.growth * static_cast<double>(steps);
        if (static_cast<double>(step) >= growing) return curriculum.end;
        const auto sizes = static_cast<double>(curriculum.end - curriculum.start + 1);
        return curriculum.start + static_cast<std::int64_t>(sizes * static_cast<double>(step) / growing);
    }
    const auto count = static_cast<std::int64_t>(curriculum.stages.size());
    const std::int64_t length =
        curriculum.steps_per_stage > 0 ? curriculum.steps_per_stage : std::max<std::int64_t>(1, steps / count);
    return curriculum.stages[static_cast<std::size_t>(std::min(step / length, count - 1))];
}

}  // namespace whorl
