// Parameters in safetensors files: the model's own names, one tensor a name, the config as JSON in the metadata.
#pragma once

#include <string>
#include <vector>

#include "core/backend/backend.hpp"
#include "core/io/safetensors.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl {

/// The model that `__metadata__.config` describes, validated. Throws UserError naming the file and the key.
ModelConfig model_config_of(const SafetensorsFile& file);

/// One replica's slice from tensors named prefix + parameter. Throws UserError for a missing, surplus (with the prefix)
/// or misshapen tensor. `replica` ≥ 0 picks it from a leading replica axis; -1: the tensors have none.
std::vector<double> read_parameters(const SafetensorsFile& file, const ParameterLayout& layout,
                                    const std::string& prefix, std::int64_t replica = -1);

/// "[3,4]"
std::string shape_text(const std::vector<std::int64_t>& shape);

/// One replica's slice [1,1,1,slice] to and from the device, converted to its dtype.
void upload_slice(Backend& backend, const std::vector<double>& slice, const Tensor& to);
std::vector<double> download_slice(Backend& backend, const Tensor& from);

}  // namespace whorl
