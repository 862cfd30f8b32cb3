// Models of a table are compared at equal numbers of parameters: the width of the MLP evens them out.
#pragma once

#include <cstdint>
#include <string>

#include "core/config/model_config.hpp"

namespace whorl {

/// Parameters of one replica.
std::int64_t parameter_count(const ModelConfig& model);

/// The d_intermediate, a multiple of 4, with which `model` has the number of parameters nearest to `wanted`. Throws
/// UserError beginning with `name` when that is further from it than the share `within`.
std::int64_t matched_mlp(ModelConfig model, std::int64_t wanted, double within, const std::string& name);

}  // namespace whorl
