// Named models: what `whorl models` lists and recipes call by name.
#pragma once

#include <string>
#include <vector>

#include "core/config/model_config.hpp"

namespace whorl {

/// The sizes that a preset leaves open. Gated DeltaNet reads headdim as its head_dim and fits its heads to d_model.
struct PresetSize {
    std::int64_t d_model = 64, n_layer = 1, vocab_size = 16, d_state = 64, headdim = 32, d_intermediate = 0;
};

struct ModelPreset {
    std::string name, description;
    ModelConfig (*make)(const PresetSize& size);
};

/// mamba3, mamba3-mimo, mamba3-no-rope, mamba3-std-rope, mamba2, gdn, gdn-positive, transformer, …
const std::vector<ModelPreset>& model_presets();

/// Throws UserError with the nearest names for an unknown one.
const ModelPreset& model_preset(const std::string& name);

}  // namespace whorl
