#include "core/training/stored_slices.hpp"

#include <algorithm>
#include <span>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/config_binding.hpp"
#include "core/config/model_config_io.hpp"

namespace whorl {
namespace {

std::vector<std::int64_t> stored_shape(const ParameterInfo& parameter, std::int64_t replicas) {
    std::vector<std::int64_t> shape = {replicas};
    shape.insert(shape.end(), parameter.shape.begin(), parameter.shape.end());
    return shape;
}

}  // namespace

std::map<std::string, std::string> population_metadata(const ModelConfig& config, std::int64_t replicas,
                                                       std::int64_t step, const CheckpointLabel& label) {
    return {{"format", "whorl"},
            {"config", to_json(config)},
            {"name", label.name},
            {"replicas", std::to_string(replicas)},
            {"step", std::to_string(step)},
            {"task", label.task},
            {"task_version", std::to_string(label.task_version)}};
}

std::vector<TensorView> StoredSlices::views(const std::string& prefix, const std::vector<float>& slices,
                                            std::vector<std::vector<float>>& memory) const {
    std::vector<TensorView> result;
    for (const ParameterInfo& parameter : layout_.parameters()) {
        std::vector<float>& tensor = memory.emplace_back();
        for (std::int64_t r = 0; r < replicas_; ++r) {
            const auto first = slices.begin() + r * layout_.slice() + parameter.offset;
            tensor.insert(tensor.end(), first, first + parameter.count);
        }
        result.push_back(tensor_view<float>(prefix + parameter.name, stored_shape(parameter, replicas_),
                                            std::span<const float>(tensor)));
    }
    return result;
}

std::vector<float> StoredSlices::read(const SafetensorsFile& file, const std::string& prefix) const {
    std::vector<float> slices(static_cast<std::size_t>(replicas_ * layout_.slice()), 0.0F);
    for (const ParameterInfo& parameter : layout_.parameters()) {
        const std::string name = prefix + parameter.name;
        if (file.at(name).shape != stored_shape(parameter, replicas_))
            throw UserError(
                one_line(file.path() + ": " + name + " has another shape than this run's model and replicas give it"));
        const std::vector<float> tensor = file.read_as<float>(name);
        for (std::int64_t r = 0; r < replicas_; ++r)
            std::copy_n(tensor.begin() + r * parameter.count, parameter.count,
                        slices.begin() + r * layout_.slice() + parameter.offset);
    }
    return slices;
}

}  // namespace whorl
