// What a model carries from token to token.
#pragma once

#include <cstdint>

#include "core/config/model_config.hpp"

namespace whorl::viz {

/// Bytes of one sequence's state in float32 behind `tokens` tokens, convolutions' inputs included: only attention's
/// grows with them. Numbers that are kept, without the padding between them.
std::int64_t state_bytes(const ModelConfig& config, std::int64_t tokens);

}  // namespace whorl::viz
