// How a run was trained, in words: what a reader needs beside its numbers.
#pragma once

#include <string>
#include <vector>

#include "core/training/run_config.hpp"

namespace whorl {

/// "trained at sizes <= 160 (growing from 40 over 100 % of the steps), tested at 256 on 2048 examples a size; …": all
/// but the model's width, the population and Δ. `config` is resolved.
std::string training_text(const RunConfig& config, std::int64_t test_size);

/// "0.5..2", "as released".
std::string range_text(const std::vector<DtRange>& ranges);

/// "0.001, 0.01"
std::string list_text(const std::vector<double>& values);

}  // namespace whorl
