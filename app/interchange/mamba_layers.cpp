#include "app/interchange/mamba_layers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "app/interchange/released_config.hpp"
#include "core/config/model_config_io.hpp"

namespace whorl::interchange {
namespace {

constexpr double kLargestSize = 65536;
constexpr double kLargestExpansion = 64;

/// Arguments of the release's Mamba2 module.
struct Mamba2Arguments {
    std::string layer = "Mamba2";
    std::int64_t d_state = 128, d_conv = 4, expand = 2, headdim = 64, ngroups = 1;
    std::optional<std::int64_t> d_ssm;
    StepSizeInit dt;
};

/// Arguments of the release's Mamba3 module. It ignores keys it does not know, which is where a_activation is kept.
struct Mamba3Arguments {
    std::string layer = "Mamba3";
    std::int64_t d_state = 128, expand = 2, headdim = 64, ngroups = 1;
    double rope_fraction = 0.5, A_floor = 1e-4;
    bool is_outproj_norm = false, is_mimo = false;
    std::int64_t mimo_rank = 4;
    std::optional<AActivation> a_activation;
    StepSizeInit dt;
};

/// Arguments of the release's MHA module. Its biases and its causality are off only or on only when said so.
struct AttentionArguments {
    std::int64_t num_heads = 0;
    std::optional<std::int64_t> num_heads_kv, head_dim;
    bool causal = false, qkv_proj_bias = true, out_proj_bias = true;
    std::int64_t rotary_emb_dim = 0;
    std::optional<double> softmax_scale;
};

template <class V, class Arguments>
void describe_sizes(V& v, Arguments& a) {
    pass_over_nulls(v);
    v.field("layer", a.layer);
    v.field("d_state", a.d_state, range(1, kLargestSize));
    v.field("expand", a.expand, range(1, kLargestExpansion));
    v.field("headdim", a.headdim, range(1, kLargestSize));
    v.field("ngroups", a.ngroups, range(1, kLargestSize));
    describe_step_size(v, a.dt);
    // How the sequence is cut for the kernels, and what every module is told of where it stands.
    ignore(v, {"chunk_size", "layer_idx", "n_layer", "device", "dtype"});
}

/// Absent, null or the release's default (0, ∞), which clamps nothing.
template <class V>
void describe_dt_limit(V& v) {
    if constexpr (kReads<V>) {
        std::optional<std::vector<double>> limit;
        v.field("dt_limit", limit, Limits{}.or_nonfinite());
        const std::vector<double> none = {0, std::numeric_limits<double>::infinity()};
        v.require(limit.value_or(none) == none, "dt_limit", "only [0.0, Infinity] is supported: Δ is not clamped");
    }
}

template <class V>
void describe(V& v, Mamba2Arguments& a) {
    describe_sizes(v, a);
    v.field("d_conv", a.d_conv, range(2, 8));
    if constexpr (kReads<V>) v.field("d_ssm", a.d_ssm);
    only(v, "D_has_hdim", false, "D has one number a head");
    only(v, "rmsnorm", true, "the gated RMSNorm is part of the layer");
    only(v, "norm_before_gate", false, "the layer gates first, then norms");
    only(v, "bias", false, "projections have no bias");
    only(v, "conv_bias", true, "the short convolution has a bias");
    describe_dt_limit(v);
    ignore(v, {"A_init_range", "conv_init", "use_mem_eff_path", "sequence_parallel", "process_group"});
}

template <class V>
void describe(V& v, Mamba3Arguments& a) {
    describe_sizes(v, a);
    v.field("rope_fraction", a.rope_fraction, above(0).at_most(1));
    v.field("A_floor", a.A_floor, above(0));
    v.field("is_outproj_norm", a.is_outproj_norm);
    v.field("is_mimo", a.is_mimo);
    v.field("mimo_rank", a.mimo_rank, range(1, kLargestExpansion));
    v.field("a_activation", a.a_activation);
    // Accepted and unused; which kernel norms the output.
    ignore(v, {"dropout", "fuse_pregate_headwise_norm"});
}

template <class V>
void describe(V& v, AttentionArguments& a) {
    pass_over_nulls(v);
    v.field("num_heads", a.num_heads, range(1, kLargestSize).required());
    v.field("num_heads_kv", a.num_heads_kv);
    v.field("head_dim", a.head_dim, range(1, kLargestSize));
    v.field("causal", a.causal);
    v.field("qkv_proj_bias", a.qkv_proj_bias);
    v.field("out_proj_bias", a.out_proj_bias);
    v.field("rotary_emb_dim", a.rotary_emb_dim);
    v.field("softmax_scale", a.softmax_scale);
    only_read(v, "mlp_dim", std::int64_t{0}, "attention has no MLP of its own");
    only_read(v, "d_conv", std::int64_t{0}, "a short convolution inside attention is not read yet");
    only_read(v, "rotary_emb_base", 10000.0, "RoPE has base 10000");
    only_read(v, "rotary_emb_interleaved", false, "RoPE turns the pairs (i, i + K/2)");
    v.require(a.causal, "causal", "must be true (the release's default is false): every layer is causal");
    v.require(!a.qkv_proj_bias, "qkv_proj_bias",
              "must be false (the release's default is true): projections have no bias");
    v.require(!a.out_proj_bias, "out_proj_bias",
              "must be false (the release's default is true): projections have no bias");
    v.require(a.num_heads_kv.value_or(a.num_heads) == a.num_heads, "num_heads_kv",
              "must equal num_heads: keys and values that heads share are not read yet");
    ignore(v, {"layer_idx", "device", "dtype"});
}

template <class Arguments>
Arguments read_arguments(const Value& value, const std::string& source, const char* key) {
    Arguments arguments;
    ConfigReader::read(value, Place{&source, key}, arguments);
    return arguments;
}

std::string layer_name(const Value& ssm_cfg) {
    const Value* layer = find(ssm_cfg, "layer");
    const auto* name = layer ? std::get_if<std::string>(&layer->data) : nullptr;
    return name ? *name : "Mamba1";  // the release's default
}

AActivation decide_activation(const std::optional<AActivation>& stored, const std::optional<AActivation>& flag,
                              const std::string& source) {
    const std::string key = "ssm_cfg.a_activation";
    if (stored && flag && *stored != *flag)
        fail_at_key(
            source, key,
            std::string("says ") + name_of(*stored) + ", which --a-activation " + name_of(*flag) + " contradicts");
    if (stored || flag) return stored ? *stored : *flag;
    fail_at_key(source, key,
                "is not stored, and a wrong guess would be silently wrong; give --a-activation softplus (the paper's, "
                "of weights trained before June 2026) or --a-activation heavy_tail (the released code's since then)");
}

Mamba2Config layer_from(const Mamba2Arguments& a, std::int64_t d_model, const std::string& source) {
    if (a.d_ssm && *a.d_ssm != a.expand * d_model)
        fail_at_key(source, "ssm_cfg.d_ssm",
                    std::to_string(*a.d_ssm) +
                        " is not supported; expected null or expand·d_model = " + std::to_string(a.expand * d_model));
    Mamba2Config layer;
    layer.headdim = a.headdim, layer.d_state = a.d_state, layer.expand = a.expand, layer.ngroups = a.ngroups;
    layer.short_conv = a.d_conv;
    layer.dt_init = a.dt;
    return layer;
}

Mamba3Config layer_from(const Mamba3Arguments& a, const std::string& source, std::optional<AActivation> flag) {
    Mamba3Config layer;
    layer.headdim = a.headdim, layer.d_state = a.d_state, layer.expand = a.expand, layer.ngroups = a.ngroups;
    layer.rope_fraction = a.rope_fraction;
    layer.mimo = a.is_mimo;
    layer.mimo_rank = a.is_mimo ? a.mimo_rank : 1;
    layer.a_activation = decide_activation(a.a_activation, flag, source);
    layer.a_floor = a.A_floor;
    layer.outproj_norm = a.is_outproj_norm ? OutprojNorm::pre_gate : OutprojNorm::none;
    layer.dt_init = a.dt;
    return layer;
}

[[noreturn]] void no_counterpart(const std::string& where, const std::string& key, const std::string& value) {
    fail_at_key(where, key, value + " has no counterpart in the Mamba release; use --format whorl");
}

/// Throws unless `found` is the one value that the release computes with.
template <class T>
void require_same(const std::string& where, const char* key, T found, T released) {
    if (found != released) no_counterpart(where, key, write_json(to_value(found)));
}

Value arguments_of(const Mamba2Config& layer, const std::string& where) {
    if (layer.short_conv == 0) no_counterpart(where, "short_conv", "0");
    Mamba2Arguments a;
    a.headdim = layer.headdim, a.d_state = layer.d_state, a.expand = layer.expand, a.ngroups = layer.ngroups;
    a.d_conv = layer.short_conv;
    a.dt = layer.dt_init;
    return to_value(a);
}

void require_released(const Mamba3Config& layer, const std::string& where) {
    require_same(where, "rotation", layer.rotation, Rotation::data_dependent);
    require_same(where, "discretization", layer.discretization, Discretization::trapezoidal);
    require_same(where, "bc_bias", layer.bc_bias, BcBias::both);
    require_same(where, "bc_norm", layer.bc_norm, true);
    require_same(where, "a_source", layer.a_source, ASource::data);
    require_same(where, "short_conv", layer.short_conv, std::int64_t{0});
    require_same(where, "rotary_pairing", layer.pairing(),
                 layer.mimo ? RotaryPairing::halves : RotaryPairing::neighbours);
    if (layer.outproj_norm == OutprojNorm::post_gate) no_counterpart(where, "outproj_norm", "\"post_gate\"");
    if (layer.rope_fraction != 0.5 && layer.rope_fraction != 1.0)
        no_counterpart(where, "rope_fraction", write_json(to_value(layer.rope_fraction)) + " (neither 0.5 nor 1)");
}

Value arguments_of(const Mamba3Config& layer) {
    Mamba3Arguments a;
    a.headdim = layer.headdim, a.d_state = layer.d_state, a.expand = layer.expand, a.ngroups = layer.ngroups;
    a.rope_fraction = layer.rope_fraction;
    a.is_mimo = layer.mimo;
    a.mimo_rank = layer.mimo_rank;
    a.A_floor = layer.a_floor;
    a.is_outproj_norm = layer.outproj_norm == OutprojNorm::pre_gate;
    a.a_activation = layer.a_activation;
    a.dt = layer.dt_init;
    return to_value(a);
}

}  // namespace

MixerConfig ssm_layer_of(const Value& ssm_cfg, std::int64_t d_model, const std::string& source,
                         std::optional<AActivation> a_activation) {
    const std::string name = layer_name(ssm_cfg);
    if (name == "Mamba2")
        return layer_from(read_arguments<Mamba2Arguments>(ssm_cfg, source, "ssm_cfg"), d_model, source);
    if (name == "Mamba3")
        return layer_from(read_arguments<Mamba3Arguments>(ssm_cfg, source, "ssm_cfg"), source, a_activation);
    const std::string shown = find(ssm_cfg, "layer") ? in_quotes(name) : "absent, which means 'Mamba1',";
    fail_at_key(source, "ssm_cfg.layer", shown + " is not supported; expected Mamba2 or Mamba3");
}

AttentionConfig attention_layer_of(const Value& attn_cfg, std::int64_t d_model, const std::string& source) {
    const auto a = read_arguments<AttentionArguments>(attn_cfg, source, "attn_cfg");
    AttentionConfig layer;
    layer.num_heads = a.num_heads;
    layer.head_dim = a.head_dim.value_or(d_model / a.num_heads);
    if (!a.head_dim && d_model % a.num_heads != 0)
        fail_at_key(source, "attn_cfg.num_heads", "does not divide d_model = " + std::to_string(d_model));
    if (a.rotary_emb_dim != 0 && a.rotary_emb_dim != layer.head_dim)
        fail_at_key(source, "attn_cfg.rotary_emb_dim",
                    std::to_string(a.rotary_emb_dim) +
                        " is not supported: RoPE over a part of a head is not read yet; expected 0 or head_dim = " +
                        std::to_string(layer.head_dim));
    layer.positions = a.rotary_emb_dim > 0 ? Positions::rope : Positions::none;
    const double scale = 1 / std::sqrt(static_cast<double>(layer.head_dim));
    if (std::abs(a.softmax_scale.value_or(scale) - scale) > 1e-12)
        fail_at_key(source, "attn_cfg.softmax_scale", "only null, 1/√head_dim, is supported");
    return layer;
}

Value ssm_cfg_of(const MixerConfig& layer, const std::string& where, std::vector<std::string>& notes) {
    if (const auto* mamba2 = std::get_if<Mamba2Config>(&layer)) return arguments_of(*mamba2, where);
    const auto& mamba3 = std::get<Mamba3Config>(layer);
    require_released(mamba3, where);
    const Mamba3Config fresh;
    const std::string left =
        "bc_bias_init and bc_bias_trainable concern training only; the release has no place for them";
    const bool differs =
        mamba3.bc_bias_init != fresh.bc_bias_init || mamba3.bc_bias_trainable != fresh.bc_bias_trainable;
    if (differs && std::find(notes.begin(), notes.end(), left) == notes.end()) notes.push_back(left);
    return arguments_of(mamba3);
}

Value attn_cfg_of(const AttentionConfig& layer) {
    AttentionArguments a;
    a.num_heads = layer.num_heads;
    a.num_heads_kv = layer.num_heads;
    a.head_dim = layer.head_dim;
    a.causal = true;
    a.qkv_proj_bias = a.out_proj_bias = false;
    a.rotary_emb_dim = layer.positions == Positions::rope ? layer.head_dim : 0;
    return to_value(a);
}

}  // namespace whorl::interchange
