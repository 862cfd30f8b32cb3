// Slices [R][all parameters] ⇄ tensors [parameter][R, shape…], as files of a population hold them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/io/safetensors.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl {

/// What files of a population say of where they come from.
struct CheckpointLabel {
    std::string name;  // of the run
    std::string task;  // name of the task
    std::int64_t task_version = 1;
};

/// The metadata of a file that holds a population of `config` as of `step`.
std::map<std::string, std::string> population_metadata(const ModelConfig& config, std::int64_t replicas,
                                                       std::int64_t step, const CheckpointLabel& label);

/// `layout` must outlive it.
class StoredSlices {
public:
    StoredSlices(const ParameterLayout& layout, std::int64_t replicas) : layout_(layout), replicas_(replicas) {}

    /// Tensors named `prefix` + parameter over new entries of `memory`, which must have room for them (reserve): the
    /// views point into it.
    std::vector<TensorView> views(const std::string& prefix, const std::vector<float>& slices,
                                  std::vector<std::vector<float>>& memory) const;
    /// Throws UserError for a tensor that is missing or of another shape.
    std::vector<float> read(const SafetensorsFile& file, const std::string& prefix) const;

private:
    const ParameterLayout& layout_;
    std::int64_t replicas_;
};

}  // namespace whorl
