// Where each parameter of a model lies in a released checkpoint.
#pragma once

#include <string>
#include <vector>

#include "app/interchange/assembly.hpp"
#include "core/config/model_config.hpp"

namespace whorl::interchange {

/// The Mamba release: Whorl's own names. Its tensors may have more rows of vocabulary and a wider MLP than the model.
struct MambaPadding {
    std::int64_t vocabulary = 0, d_intermediate = 0;  // as stored, at least the model's
};
std::vector<Assembly> mamba_assemblies(const ModelConfig& model, const MambaPadding& stored);

/// The Gated DeltaNet release: other names; the MLP's and attention's projections are separate tensors. Checkpoints
/// from before March 2025 may have a layer's norms inside of its attn and mlp (norm_first), and the MLP's gate and up
/// projections, in this order, joined as gate_proj.
struct FlaStorage {
    bool norm_first = false, joined_mlp = false;
};
std::vector<Assembly> fla_assemblies(const ModelConfig& model, const FlaStorage& storage = {});

/// A layer's tensors begin with this.
std::string fla_layer(std::int64_t layer);

/// The MLP of a layer in the Gated DeltaNet release, by name and shape: mlp_norm, then gate, up and down.
std::vector<TensorPart> fla_mlp(std::int64_t layer, std::int64_t d_model, std::int64_t intermediate);

inline constexpr const char* kEmbedding = "backbone.embedding.weight";
inline constexpr const char* kHead = "lm_head.weight";
inline constexpr const char* kFlaEmbedding = "model.embeddings.weight";

}  // namespace whorl::interchange
