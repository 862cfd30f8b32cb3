// What `whorl models --describe` prints of a model, wherever it is from.
#pragma once

#include <string>

#include "core/config/model_config.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl::cli {

struct Description {
    std::string name, about;
    ModelConfig config;
    ParameterLayout layout;
};

/// Its config and every parameter with its shape, as text or JSON.
void show(const Description& description, bool json);

}  // namespace whorl::cli
