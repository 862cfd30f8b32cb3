// ssm_cfg and attn_cfg of a Mamba release's config: the arguments of its modules, bound to structs, and their Whorl
// layers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/model_config.hpp"
#include "core/config/value.hpp"

namespace whorl::interchange {

/// `ssm_cfg` of a config named `source` → the layer it describes.
MixerConfig ssm_layer_of(const Value& ssm_cfg, std::int64_t d_model, const std::string& source,
                         std::optional<AActivation> a_activation);
AttentionConfig attention_layer_of(const Value& attn_cfg, std::int64_t d_model, const std::string& source);

/// A layer → `ssm_cfg` or `attn_cfg`. Throw UserError `where.key: …` for what the release's module lacks.
Value ssm_cfg_of(const MixerConfig& layer, const std::string& where, std::vector<std::string>& notes);
Value attn_cfg_of(const AttentionConfig& layer);

}  // namespace whorl::interchange
