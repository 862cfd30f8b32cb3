#include "core/training/trained_models.hpp"

#include "core/base/error.hpp"
#include "core/training/batch_plan.hpp"

namespace whorl {

// A slice is a whole number of 64-byte lines (ParameterLayout), so that rows need no further padding.
TrainedModels::TrainedModels(const ModelConfig& config, const std::vector<float>& parameters, Backend& backend)
    : backend_(backend), model_(config, backend, DType::f32) {
    const std::int64_t slice = model_.layout().slice(), elements = static_cast<std::int64_t>(parameters.size());
    const std::int64_t bytes = elements * static_cast<std::int64_t>(sizeof(float));
    memory_ = backend.allocate(bytes);
    parameters_ = activation_at(memory_.data(), {elements / slice, 1, 1, slice}, DType::f32, backend.device());
    backend.upload(parameters_, parameters.data(), bytes);
}

void TrainedModels::check_memory(const DataSource& data, const EvaluationConfig& on, std::int64_t positions,
                                 const std::string& where) const {
    const std::int64_t held = limit_of({}, backend_);
    for (const std::int64_t size : on.sizes) {
        const std::int64_t needed = evaluation_bytes(model_, count(), positions, data, size, on.count);
        if (needed > held)
            throw UserError(
                where + ": size " + std::to_string(size) + " needs " +
                shortage_text(needed, count() > 1 ? " for " + std::to_string(count()) + " replicas" : "", held));
    }
}

}  // namespace whorl
