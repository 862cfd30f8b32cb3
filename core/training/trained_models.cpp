#include "core/training/trained_models.hpp"

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

}  // namespace whorl
