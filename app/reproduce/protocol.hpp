// How a run was trained, in words: what a reader needs beside its numbers.
#pragma once

#include <string>

#include "core/training/run_config.hpp"

namespace whorl {

/// "trained at sizes <= 160 (growing from 40 over 100 % of the steps), tested at 256 on 2048 examples a size; …": all
/// but the model's width. `config` is resolved.
std::string protocol_text(const RunConfig& config, std::int64_t test_size);

}  // namespace whorl
