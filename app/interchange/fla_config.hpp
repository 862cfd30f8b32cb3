// The config.json of Gated DeltaNet checkpoints (flash-linear-attention: GatedDeltaNetConfig), with the defaults that
// the release gives absent keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/model_config.hpp"
#include "core/config/value.hpp"

namespace whorl::interchange {

/// Softmax attention in some of the layers.
struct FlaAttention {
    std::vector<std::int64_t> layers;
    std::int64_t num_heads = 0;
    std::optional<std::int64_t> num_kv_heads;
};

struct FlaConfig {
    std::int64_t hidden_size = 0, num_hidden_layers = 0, vocab_size = 0;
    std::int64_t head_dim = 256, num_heads = 6;
    std::optional<std::int64_t> num_v_heads;
    double expand_v = 2.0;
    bool allow_neg_eigval = false;
    bool use_short_conv = true;
    std::int64_t conv_size = 4;
    std::optional<double> hidden_ratio = 4.0;
    std::optional<std::int64_t> intermediate_size;
    double norm_eps = 1e-6;
    double initializer_range = 0.02;
    bool tie_word_embeddings = false;
    /// Until March 2025: a layer's norms are part of its attn and mlp, which changes their names alone. Only read.
    bool norm_first = false;
    std::optional<FlaAttention> attn;
    /// Ours: the release has an MLP in every layer. A model without one is exported with an MLP of zeros, which adds
    /// nothing.
    bool no_mlp = false;

    /// intermediate_size, or what the release makes of hidden_ratio.
    std::int64_t intermediate() const;
};

FlaConfig read_fla_config(const Document& document);

/// The model it describes; d_intermediate is the MLP's width, or 0 with no_mlp.
ModelConfig model_of(const FlaConfig& config, const std::string& source);

/// The width of the MLP of zeros.
inline constexpr std::int64_t kFlaZeroMlp = 16;

/// The config of a Whorl model. Throws UserError, beginning with `where`, for what the release cannot express.
FlaConfig fla_config_of(const ModelConfig& model, const std::string& where);
std::string fla_config_json(const FlaConfig& config);

}  // namespace whorl::interchange
