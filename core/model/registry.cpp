#include "core/model/registry.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace whorl {
namespace {

ModelConfig uniform_model(const PresetSize& size, const MixerConfig& mixer) {
    ModelConfig config;
    config.d_model = size.d_model;
    config.n_layer = size.n_layer;
    config.vocab_size = size.vocab_size;
    config.d_intermediate = size.d_intermediate;
    config.layers.assign(static_cast<std::size_t>(size.n_layer), mixer);
    return config;
}

Mamba3Config mamba3_layer(const PresetSize& size) {
    Mamba3Config layer;
    layer.headdim = size.headdim;
    layer.d_state = size.d_state;
    return layer;
}

ModelConfig mamba3(const PresetSize& size) {
    return uniform_model(size, mamba3_layer(size));
}

ModelConfig mamba3_mimo(const PresetSize& size) {
    Mamba3Config layer = mamba3_layer(size);
    layer.mimo = true;
    layer.mimo_rank = 4;
    return uniform_model(size, layer);
}

ModelConfig mamba3_rotation(const PresetSize& size, Rotation rotation) {
    Mamba3Config layer = mamba3_layer(size);
    layer.rotation = rotation;
    return uniform_model(size, layer);
}
ModelConfig mamba3_no_rope(const PresetSize& size) {
    return mamba3_rotation(size, Rotation::none);
}
ModelConfig mamba3_std_rope(const PresetSize& size) {
    return mamba3_rotation(size, Rotation::standard);
}

ModelConfig mamba3_euler_conv(const PresetSize& size) {
    Mamba3Config layer = mamba3_layer(size);
    layer.discretization = Discretization::euler;
    layer.bc_bias = BcBias::none;
    layer.short_conv = 4;
    return uniform_model(size, layer);
}

ModelConfig mamba2(const PresetSize& size) {
    Mamba2Config layer;
    layer.headdim = size.headdim;
    layer.d_state = size.d_state;
    return uniform_model(size, layer);
}

// times: 1, or 2 for as many heads as Mamba-3 has, each with values of its size and keys twice as long: in all as many
// values, four times the keys, twice the state.
ModelConfig delta_net(const PresetSize& size, bool negative, std::int64_t times) {
    GatedDeltaNetConfig layer;
    const std::int64_t one = std::min(size.headdim, size.d_model);
    layer.head_dim = times * one;
    layer.num_heads = std::max<std::int64_t>(1, times * size.d_model / one);
    if (times == 2) layer.expand_v = 0.5;
    layer.allow_neg_eigval = negative;
    return uniform_model(size, layer);
}
ModelConfig gdn(const PresetSize& size) {
    return delta_net(size, true, 1);
}
ModelConfig gdn_positive(const PresetSize& size) {
    return delta_net(size, false, 1);
}
ModelConfig gdn_heads(const PresetSize& size) {
    return delta_net(size, true, 2);
}
ModelConfig gdn_heads_positive(const PresetSize& size) {
    return delta_net(size, false, 2);
}

AttentionConfig attention_layer(const PresetSize& size) {
    AttentionConfig layer;
    layer.head_dim = std::min(size.headdim, size.d_model);
    layer.num_heads = std::max<std::int64_t>(1, size.d_model / layer.head_dim);
    return layer;
}

ModelConfig transformer(const PresetSize& size) {
    ModelConfig config = uniform_model(size, attention_layer(size));
    if (config.d_intermediate == 0) config.d_intermediate = 4 * size.d_model;
    return config;
}

// The paper's: Mamba-3 with a norm before the gate; of six layers one, in their middle, is attention that is told no
// positions. Fewer than six layers have one of it, too, and two are the least that can be mixed.
ModelConfig hybrid(const PresetSize& size) {
    constexpr std::int64_t kEvery = 6;
    PresetSize mixed = size;
    mixed.n_layer = std::max<std::int64_t>(2, size.n_layer);
    Mamba3Config recurrent = mamba3_layer(size);
    recurrent.outproj_norm = OutprojNorm::pre_gate;
    AttentionConfig attention = attention_layer(size);
    attention.positions = Positions::none;
    ModelConfig config = uniform_model(mixed, recurrent);
    for (std::int64_t i = std::min(kEvery, mixed.n_layer) / 2; i < mixed.n_layer; i += kEvery)
        config.layers[static_cast<std::size_t>(i)] = attention;
    return config;
}

}  // namespace

const std::vector<ModelPreset>& model_presets() {
    static const std::vector<ModelPreset> presets = {
        {"mamba3", "Mamba-3, SISO: exponential trapezoid, rotating state", mamba3},
        {"mamba3-mimo", "Mamba-3 with MIMO rank 4", mamba3_mimo},
        {"mamba3-no-rope", "Mamba-3 whose state does not turn: real eigenvalues", mamba3_no_rope},
        {"mamba3-std-rope", "Mamba-3 turned by the position instead of the data", mamba3_std_rope},
        {"mamba3-euler-conv", "Mamba-3 with the Euler rule, no B/C bias and a short convolution instead",
         mamba3_euler_conv},
        {"mamba2", "Mamba-2: positive real decay, short convolution", mamba2},
        {"gdn", "Gated DeltaNet, eigenvalues in [-1, 1]", gdn},
        {"gdn-positive", "Gated DeltaNet, eigenvalues in [0, 1]", gdn_positive},
        {"gdn-heads", "Gated DeltaNet, [-1, 1], with twice the heads and keys longer than values", gdn_heads},
        {"gdn-heads-positive", "the same, eigenvalues in [0, 1]", gdn_heads_positive},
        {"transformer", "softmax attention with RoPE, and a SwiGLU MLP", transformer},
        {"hybrid", "Mamba-3 with a norm before the gate; every sixth layer is attention without positions", hybrid},
    };
    return presets;
}

const ModelPreset& model_preset(const std::string& name) {
    std::vector<std::string> names;
    for (const ModelPreset& preset : model_presets()) {
        if (preset.name == name) return preset;
        names.push_back(preset.name);
    }
    throw UserError("unknown model '" + name + "'" + suggestion(name, names));
}

}  // namespace whorl
