// What a model is: plain structs, one enum per ablatable idea (spec: Mamba-3, Mamba-2, Gated DeltaNet and attention
// layers). core/config/model_config_io.hpp binds them to TOML and JSON; core/model/parameter_layout.hpp turns them into
// parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace whorl {

enum class Rotation { data_dependent, standard, none };
enum class Discretization { trapezoidal, trapezoidal_half, euler };  // λ = σ(u), ½, 1
enum class BcBias { both, b, c, none };
enum class AActivation { softplus, heavy_tail };
enum class ASource { data, per_head };
enum class RotaryPairing { neighbours, halves };  // channels (2i, 2i+1) or (i, i + N/2)
enum class OutprojNorm { none, pre_gate, post_gate };
enum class Positions { rope, none };
enum class Initialization { release, fla };

/// The range that Δ is drawn from at initialisation: log-uniform in [min, max], floored.
struct StepSizeInit {
    double min = 1e-3;
    double max = 0.1;
    double floor = 1e-4;
};

struct Mamba3Config {
    std::int64_t headdim = 64, d_state = 64, expand = 2, ngroups = 1;
    double rope_fraction = 1.0;
    bool mimo = false;
    std::int64_t mimo_rank = 1;
    Rotation rotation = Rotation::data_dependent;
    Discretization discretization = Discretization::trapezoidal;
    BcBias bc_bias = BcBias::both;
    double bc_bias_init = 1.0;
    bool bc_bias_trainable = true;
    bool bc_norm = true;
    AActivation a_activation = AActivation::softplus;
    ASource a_source = ASource::data;
    double a_floor = 1e-4;
    std::optional<RotaryPairing> rotary_pairing;  // default: neighbours for SISO, halves for MIMO
    OutprojNorm outproj_norm = OutprojNorm::none;
    std::int64_t short_conv = 0;  // width, 0 = none
    StepSizeInit dt_init;
    std::optional<std::int64_t> H;  // may be stated; must then be expand·d_model / headdim

    std::int64_t heads(std::int64_t d_model) const { return expand * d_model / headdim; }
    std::int64_t rank() const { return mimo ? mimo_rank : 1; }
    /// S, the number of rotation angles: the projection keeps their columns under every ablation.
    std::int64_t angles() const;
    RotaryPairing pairing() const {
        return rotary_pairing.value_or(mimo ? RotaryPairing::halves : RotaryPairing::neighbours);
    }
    bool b_bias() const { return bc_bias == BcBias::both || bc_bias == BcBias::b; }
    bool c_bias() const { return bc_bias == BcBias::both || bc_bias == BcBias::c; }
};

struct Mamba2Config {
    std::int64_t headdim = 64, d_state = 64, expand = 2, ngroups = 1;
    std::int64_t short_conv = 4;  // width, 0 = none: silu alone
    StepSizeInit dt_init;
    std::optional<std::int64_t> H;  // as above
    std::int64_t heads(std::int64_t d_model) const { return expand * d_model / headdim; }
};

struct GatedDeltaNetConfig {
    std::int64_t num_heads = 1, head_dim = 64;
    std::optional<std::int64_t> num_v_heads;  // default: num_heads
    double expand_v = 2.0;
    bool allow_neg_eigval = true;
    std::int64_t short_conv = 4;  // width, 0 = none: silu alone
    StepSizeInit dt_init;
    std::int64_t v_heads() const { return num_v_heads.value_or(num_heads); }
    std::int64_t head_v_dim() const;
};

struct AttentionConfig {
    std::int64_t num_heads = 2, head_dim = 32;
    Positions positions = Positions::rope;
};

using MixerConfig = std::variant<Mamba3Config, Mamba2Config, GatedDeltaNetConfig, AttentionConfig>;

struct ModelConfig {
    std::int64_t d_model = 64, n_layer = 1, vocab_size = 16, d_intermediate = 0;
    bool tie_embeddings = true;
    double norm_epsilon = 1e-5;
    Initialization init = Initialization::release;
    /// Standard deviation of the embedding at initialisation; with init = fla also of projections and convolutions.
    double initializer_range = 0.02;
    std::vector<MixerConfig> layers;  // n_layer of them
};

/// The name a layer carries in configs: "mamba3", "mamba2", "gated_delta_net", "attention".
std::string mixer_type(const MixerConfig& mixer);

/// Throws UserError naming the key for a shape that no layer can have (d_inner not divisible by headdim, …).
/// `where` begins each message, e.g. "recipe.toml" or "--set".
void validate(const ModelConfig& config, const std::string& where);

}  // namespace whorl
