#include "core/training/trained_models.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/training/batch_plan.hpp"
#include "core/training/population.hpp"

namespace whorl {
namespace {

// The results of further models behind those of the first.
void append(const Evaluation& further, Evaluation& all) {
    if (all.accuracy.empty()) {
        all = further;
        return;
    }
    const auto extend = [](const auto& from, auto& to) {
        for (std::size_t size = 0; size < from.size(); ++size)
            to[size].insert(to[size].end(), from[size].begin(), from[size].end());
    };
    extend(further.accuracy, all.accuracy);
    extend(further.loss, all.loss);
    extend(further.found, all.found);
    extend(further.per_position, all.per_position);
}

}  // namespace

// A slice is a whole number of 64-byte lines (ParameterLayout), so that rows need no further padding.
TrainedModels::TrainedModels(const ModelConfig& config, const std::vector<float>& parameters, Backend& backend,
                             std::int64_t memory)
    : backend_(backend), model_(config, backend, DType::f32), most_(memory) {
    const std::int64_t slice = model_.layout().slice(), elements = static_cast<std::int64_t>(parameters.size());
    const std::int64_t bytes = elements * static_cast<std::int64_t>(sizeof(float));
    memory_ = backend.allocate(bytes);
    parameters_ = activation_at(memory_.data(), {elements / slice, 1, 1, slice}, DType::f32, backend.device());
    backend.upload(parameters_, parameters.data(), bytes);
}

// What may be used, with what is in use for this already.
std::int64_t TrainedModels::held() const {
    return most_ > 0 ? most_ : limit_of({}, backend_) + model_.arena_size();
}

std::int64_t TrainedModels::bytes(std::int64_t models, const DataSource& data, std::int64_t size, std::int64_t count,
                                  const EvaluationPace& pace) const {
    return evaluation_bytes(model_, evaluation_shape(model_, backend_.device(), models, pace, data, size, count));
}

void TrainedModels::check_memory(const DataSource& data, const EvaluationConfig& on, const EvaluationPace& pace,
                                 const std::string& where) const {
    for (const std::int64_t size : on.sizes) {
        const std::int64_t needed = bytes(1, data, size, on.count, pace);
        if (needed > held())
            throw UserError(where + ": size " + std::to_string(size) + " needs " + shortage_text(needed, "", held()));
    }
}

Evaluation TrainedModels::evaluate(const DataSource& data, Split split, const EvaluationConfig& on,
                                   const EvaluationPace& pace, bool per_position) {
    std::int64_t together = count();
    for (const std::int64_t size : on.sizes) {
        const MemoryNeed need{0, [&](std::int64_t models) { return bytes(models, data, size, on.count, pace); }, {}};
        together = std::clamp<std::int64_t>(largest_group(need, together, held()), 1, together);
    }
    Evaluation all;
    const std::int64_t parts = (count() + together - 1) / together;
    for (std::int64_t part = 0; part < parts; ++part) {
        const std::int64_t first = part * together;
        const Tensor models = rows_of(parameters_, first, std::min(together, count() - first));
        append(whorl::evaluate({model_, models, backend_, pace.part_of(part, parts)}, data, split, on, per_position),
               all);
    }
    add_bits(all, data, on);
    return all;
}

}  // namespace whorl
