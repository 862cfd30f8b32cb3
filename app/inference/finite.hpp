// Weights and answers that are no numbers: whoever reads on from them reads nothing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/io/checkpoint_file.hpp"

namespace whorl {

/// "backbone.norm_f.weight holds nan" for the first parameter of a slice that is not finite, "" when all are.
std::string nonfinite_parameter(const ParameterLayout& layout, std::span<const double> slice);
std::string nonfinite_parameter(const ParameterLayout& layout, std::span<const float> slice);

/// "FILE: replica 2: …" with that, "" when all are finite.
std::string nonfinite_parameter(const LoadedModel& model);

/// True when all are finite.
bool all_finite(std::span<const double> values);

}  // namespace whorl
