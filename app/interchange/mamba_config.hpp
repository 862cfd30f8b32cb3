// The config.json of Mamba-2 and Mamba-3 checkpoints (state-spaces/mamba: MambaConfig and the arguments of its Mamba2,
// Mamba3 and MHA modules), with the defaults that the release gives absent keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/model_config.hpp"
#include "core/config/value.hpp"

namespace whorl::interchange {

inline constexpr double kMambaNormEpsilon = 1e-5;       // fixed in the release's modules
inline constexpr std::int64_t kMambaMlpMultiple = 128;  // it rounds d_intermediate up to this

struct MambaConfig {
    std::int64_t d_model = 0, d_intermediate = 0, n_layer = 0, vocab_size = 0;
    Value ssm_cfg{Table{}};
    std::vector<std::int64_t> attn_layer_idx;
    Value attn_cfg{Table{}};
    std::int64_t pad_vocab_size_multiple = 8;
    bool tie_embeddings = true;

    std::int64_t padded_vocabulary() const {
        return (vocab_size + pad_vocab_size_multiple - 1) / pad_vocab_size_multiple * pad_vocab_size_multiple;
    }
    std::int64_t padded_intermediate() const {
        return (d_intermediate + kMambaMlpMultiple - 1) / kMambaMlpMultiple * kMambaMlpMultiple;
    }
};

/// Throws UserError naming file and key for an unknown key or a feature that Whorl's models lack.
MambaConfig read_mamba_config(const Document& document);

/// The model it describes, with the vocabulary and d_intermediate as the config says, unpadded. `a_activation`
/// (--a-activation) must be given or stored where there is a Mamba-3 layer, and must not contradict the stored one.
ModelConfig model_of(const MambaConfig& config, const std::string& source, std::optional<AActivation> a_activation);

/// The config.json of a Whorl model. Throws UserError, beginning with `where`, for what the release cannot express.
/// `notes` gets a line for each setting of training that is left behind.
std::string mamba_config_json(const ModelConfig& model, const std::string& where, std::vector<std::string>& notes);

}  // namespace whorl::interchange
