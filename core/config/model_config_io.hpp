// Model configs as TOML and JSON: the keys are the fields' names, layers are tables with a `type`.
#pragma once

#include "core/config/config_binding.hpp"
#include "core/config/model_config.hpp"

namespace whorl {

constexpr auto enum_names(Rotation) {
    return std::to_array<EnumName<Rotation>>(
        {{Rotation::data_dependent, "data_dependent"}, {Rotation::standard, "standard"}, {Rotation::none, "none"}});
}
constexpr auto enum_names(Discretization) {
    return std::to_array<EnumName<Discretization>>({{Discretization::trapezoidal, "trapezoidal"},
                                                    {Discretization::trapezoidal_half, "trapezoidal_half"},
                                                    {Discretization::euler, "euler"}});
}
constexpr auto enum_names(BcBias) {
    return std::to_array<EnumName<BcBias>>(
        {{BcBias::both, "both"}, {BcBias::b, "b"}, {BcBias::c, "c"}, {BcBias::none, "none"}});
}
constexpr auto enum_names(AActivation) {
    return std::to_array<EnumName<AActivation>>(
        {{AActivation::softplus, "softplus"}, {AActivation::heavy_tail, "heavy_tail"}});
}
constexpr auto enum_names(ASource) {
    return std::to_array<EnumName<ASource>>({{ASource::data, "data"}, {ASource::per_head, "per_head"}});
}
constexpr auto enum_names(RotaryPairing) {
    return std::to_array<EnumName<RotaryPairing>>(
        {{RotaryPairing::neighbours, "neighbours"}, {RotaryPairing::halves, "halves"}});
}
constexpr auto enum_names(OutprojNorm) {
    return std::to_array<EnumName<OutprojNorm>>(
        {{OutprojNorm::none, "none"}, {OutprojNorm::pre_gate, "pre_gate"}, {OutprojNorm::post_gate, "post_gate"}});
}
constexpr auto enum_names(Positions) {
    return std::to_array<EnumName<Positions>>({{Positions::rope, "rope"}, {Positions::none, "none"}});
}
constexpr auto enum_names(Initialization) {
    return std::to_array<EnumName<Initialization>>(
        {{Initialization::release, "release"}, {Initialization::fla, "fla"}});
}

constexpr const char* config_type(const Mamba3Config&) {
    return "mamba3";
}
constexpr const char* config_type(const Mamba2Config&) {
    return "mamba2";
}
constexpr const char* config_type(const GatedDeltaNetConfig&) {
    return "gated_delta_net";
}
constexpr const char* config_type(const AttentionConfig&) {
    return "attention";
}

template <class V>
void describe_step_size(V& v, StepSizeInit& c) {
    v.field("dt_min", c.min, above(0));
    v.field("dt_max", c.max, above(0));
    v.field("dt_init_floor", c.floor, at_least(0));
}

template <class V>
void describe(V& v, Mamba3Config& c) {
    v.field("headdim", c.headdim);
    v.field("d_state", c.d_state);
    v.field("expand", c.expand);
    v.field("ngroups", c.ngroups);
    v.field("rope_fraction", c.rope_fraction);
    v.field("mimo", c.mimo);
    v.field("mimo_rank", c.mimo_rank);
    v.field("rotation", c.rotation);
    v.field("discretization", c.discretization);
    v.field("bc_bias", c.bc_bias);
    v.field("bc_bias_init", c.bc_bias_init);
    v.field("bc_bias_trainable", c.bc_bias_trainable);
    v.field("bc_norm", c.bc_norm);
    v.field("a_activation", c.a_activation);
    v.field("a_source", c.a_source);
    v.field("a_floor", c.a_floor);
    v.field("rotary_pairing", c.rotary_pairing);
    v.field("outproj_norm", c.outproj_norm);
    v.field("short_conv", c.short_conv);
    describe_step_size(v, c.dt_init);
    v.field("H", c.H);
    v.derived("S", c.angles());
}

template <class V>
void describe(V& v, Mamba2Config& c) {
    v.field("headdim", c.headdim);
    v.field("d_state", c.d_state);
    v.field("expand", c.expand);
    v.field("ngroups", c.ngroups);
    v.field("short_conv", c.short_conv);
    describe_step_size(v, c.dt_init);
    v.field("H", c.H);
}

template <class V>
void describe(V& v, GatedDeltaNetConfig& c) {
    v.field("num_heads", c.num_heads);
    v.field("num_v_heads", c.num_v_heads);
    v.field("head_dim", c.head_dim);
    v.field("expand_v", c.expand_v, above(0));
    v.field("allow_neg_eigval", c.allow_neg_eigval);
    v.field("short_conv", c.short_conv);
    describe_step_size(v, c.dt_init);
    v.derived("head_v_dim", c.head_v_dim());
}

template <class V>
void describe(V& v, AttentionConfig& c) {
    v.field("num_heads", c.num_heads);
    v.field("head_dim", c.head_dim);
    v.field("positions", c.positions);
}

template <class V>
void describe(V& v, ModelConfig& c) {
    v.field("d_model", c.d_model);
    v.field("n_layer", c.n_layer);
    v.field("vocab_size", c.vocab_size);
    v.field("d_intermediate", c.d_intermediate);
    v.field("tie_embeddings", c.tie_embeddings);
    v.field("norm_epsilon", c.norm_epsilon);
    v.field("init", c.init);
    v.field("initializer_range", c.initializer_range, above(0));
    v.field("layers", c.layers);
}

}  // namespace whorl
