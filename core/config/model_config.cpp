#include "core/config/model_config.hpp"

#include <cmath>

#include "core/base/error.hpp"

namespace whorl {
namespace {

/// Builds the message "<where>: layers[i].<key> = <value>: <why>".
class LayerCheck {
public:
    LayerCheck(const std::string& where, std::size_t index)
        : prefix_(where + ": layers[" + std::to_string(index) + "].") {}

    void require(bool good, const std::string& key, const std::string& why) const {
        if (!good) throw UserError(prefix_ + key + ": " + why);
    }
    void positive(std::int64_t value, const std::string& key, std::int64_t most = 65536) const {
        require(value >= 1 && value <= most, key, std::to_string(value) + " is not in 1.." + std::to_string(most));
    }

private:
    std::string prefix_;
};

std::string times(std::int64_t a, std::int64_t b) {
    return std::to_string(a) + "·" + std::to_string(b);
}

void check_step_size(const LayerCheck& check, const StepSizeInit& dt) {
    check.require(dt.min > 0 && dt.max >= dt.min && dt.max < 1e3, "dt_min, dt_max", "need 0 < dt_min ≤ dt_max < 1000");
    check.require(dt.floor >= 0, "dt_init_floor", "is negative");
}

void check_conv(const LayerCheck& check, std::int64_t width) {
    check.require(width == 0 || (width >= 2 && width <= 8), "short_conv",
                  "width " + std::to_string(width) + " is not in 0, 2..8");
}

template <class Mamba>
void check_mamba_heads(const LayerCheck& check, const Mamba& mamba, std::int64_t d_model) {
    check.positive(mamba.headdim, "headdim");
    check.positive(mamba.d_state, "d_state");
    check.positive(mamba.expand, "expand", 64);
    check.positive(mamba.ngroups, "ngroups");
    const std::int64_t inner = mamba.expand * d_model;
    check.require(inner % mamba.headdim == 0, "headdim",
                  std::to_string(mamba.headdim) + " does not divide expand·d_model = " + times(mamba.expand, d_model));
    check.require(mamba.heads(d_model) % mamba.ngroups == 0, "ngroups",
                  std::to_string(mamba.ngroups) + " does not divide the number of heads, " +
                      std::to_string(mamba.heads(d_model)));
    check.require(mamba.H.value_or(mamba.heads(d_model)) == mamba.heads(d_model), "H",
                  "contradicts expand·d_model / headdim = " + std::to_string(mamba.heads(d_model)));
    check_step_size(check, mamba.dt_init);
}

void check_layer(const LayerCheck& check, const Mamba3Config& layer, std::int64_t d_model) {
    check_mamba_heads(check, layer, d_model);
    check.require(layer.rope_fraction >= 0 && layer.rope_fraction <= 1, "rope_fraction", "is not in 0..1");
    check.positive(layer.mimo_rank, "mimo_rank", 64);
    check.require(layer.mimo || layer.mimo_rank == 1, "mimo_rank", "is above 1 although mimo = false");
    check.require(layer.rotation == Rotation::none || layer.angles() > 0, "rope_fraction",
                  "leaves no angle to rotate (S = 0); raise it or d_state, or set rotation = \"none\"");
    check.require(layer.pairing() == RotaryPairing::neighbours || layer.d_state % 2 == 0, "d_state",
                  "must be even with rotary_pairing = \"halves\"");
    check.require(layer.a_floor > 0, "a_floor", "must be positive, or A would not decay");
    check_conv(check, layer.short_conv);
}

void check_layer(const LayerCheck& check, const Mamba2Config& layer, std::int64_t d_model) {
    check_mamba_heads(check, layer, d_model);
    check_conv(check, layer.short_conv);
}

void check_layer(const LayerCheck& check, const GatedDeltaNetConfig& layer, std::int64_t) {
    check.positive(layer.num_heads, "num_heads");
    check.positive(layer.head_dim, "head_dim");
    check.positive(layer.v_heads(), "num_v_heads");
    check.require(
        layer.v_heads() % layer.num_heads == 0, "num_v_heads",
        std::to_string(layer.v_heads()) + " is no multiple of num_heads = " + std::to_string(layer.num_heads));
    check.require(layer.expand_v <= 64, "expand_v", "is above 64");
    const double width = layer.expand_v * static_cast<double>(layer.head_dim);
    check.require(width >= 1 && std::abs(width - std::round(width)) < 1e-9, "expand_v",
                  "expand_v·head_dim is no whole number");
    check_conv(check, layer.short_conv);
    check_step_size(check, layer.dt_init);
}

void check_layer(const LayerCheck& check, const AttentionConfig& layer, std::int64_t) {
    check.positive(layer.num_heads, "num_heads");
    check.positive(layer.head_dim, "head_dim");
    check.require(layer.positions == Positions::none || layer.head_dim % 2 == 0, "head_dim",
                  "must be even with positions = \"rope\"");
}

}  // namespace

std::int64_t Mamba3Config::angles() const {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(d_state) * rope_fraction + 1e-9)) / 2;
}

std::int64_t GatedDeltaNetConfig::head_v_dim() const {
    return std::llround(expand_v * static_cast<double>(head_dim));
}

std::string mixer_type(const MixerConfig& mixer) {
    static const char* names[] = {"mamba3", "mamba2", "gated_delta_net", "attention"};
    return names[mixer.index()];
}

void validate(const ModelConfig& config, const std::string& where) {
    const auto require = [&](bool good, const std::string& message) {
        if (!good) throw UserError(where + ": " + message);
    };
    require(config.d_model >= 1 && config.d_model <= 65536, "d_model: not in 1..65536");
    require(config.vocab_size >= 1 && config.vocab_size <= 1 << 20, "vocab_size: not in 1..1048576");
    require(config.d_intermediate >= 0 && config.d_intermediate <= 1 << 20, "d_intermediate: not in 0..1048576");
    require(config.norm_epsilon > 0, "norm_epsilon: must be positive");
    require(config.initializer_range > 0, "initializer_range: must be positive");
    require(config.n_layer >= 1 && config.n_layer <= 256, "n_layer: not in 1..256");
    require(static_cast<std::int64_t>(config.layers.size()) == config.n_layer,
            "layers: " + std::to_string(config.layers.size()) +
                " are described but n_layer = " + std::to_string(config.n_layer));
    for (std::size_t i = 0; i < config.layers.size(); ++i) {
        const LayerCheck check(where, i);
        std::visit([&](const auto& layer) { check_layer(check, layer, config.d_model); }, config.layers[i]);
    }
}

}  // namespace whorl
