#include "app/interchange/mamba_config.hpp"

#include <algorithm>

#include "app/interchange/mamba_layers.hpp"
#include "app/interchange/released_config.hpp"
#include "core/config/model_config_io.hpp"

namespace whorl::interchange {
namespace {

constexpr double kMostLayers = 256;
constexpr double kLargestWidth = 65536;
constexpr double kLargestVocabulary = 1 << 20;

}  // namespace

template <class V>
void describe(V& v, MambaConfig& c) {
    pass_over_nulls(v);
    v.field("d_model", c.d_model, range(1, kLargestWidth).required());
    v.field("d_intermediate", c.d_intermediate, range(0, kLargestVocabulary));
    v.field("n_layer", c.n_layer, range(1, kMostLayers).required());
    v.field("vocab_size", c.vocab_size, range(1, kLargestVocabulary).required());
    v.field("ssm_cfg", c.ssm_cfg);
    field_or_null(v, "attn_layer_idx", c.attn_layer_idx, range(0, kMostLayers - 1));
    v.field("attn_cfg", c.attn_cfg);
    only(v, "rms_norm", true, "every norm is an RMSNorm");
    v.field("pad_vocab_size_multiple", c.pad_vocab_size_multiple, range(1, kLargestWidth));
    v.field("tie_embeddings", c.tie_embeddings);
    only_read(v, "norm_epsilon", kMambaNormEpsilon,
              "the release's layers fix 1e-5 inside, so that another value would not hold for all norms");
    ignore(v, {"residual_in_fp32", "fused_add_norm", "initializer_cfg", "initializer_range", "model_type"});
    if constexpr (kReads<V>) ignore_library_keys(v);
    for (const std::int64_t layer : c.attn_layer_idx)
        v.require(layer < c.n_layer, "attn_layer_idx",
                  std::to_string(layer) + " is not below n_layer = " + std::to_string(c.n_layer));
}

MambaConfig read_mamba_config(const Document& document) {
    return read_config<MambaConfig>(document);
}

ModelConfig model_of(const MambaConfig& config, const std::string& source, std::optional<AActivation> a_activation) {
    ModelConfig model;
    model.d_model = config.d_model;
    model.n_layer = config.n_layer;
    model.vocab_size = config.vocab_size;
    model.d_intermediate = config.d_intermediate;
    model.tie_embeddings = config.tie_embeddings;
    model.norm_epsilon = kMambaNormEpsilon;
    std::optional<MixerConfig> ssm, attention;  // read only where a layer needs them
    for (std::int64_t i = 0; i < config.n_layer; ++i) {
        const bool attends = std::count(config.attn_layer_idx.begin(), config.attn_layer_idx.end(), i) > 0;
        if (attends && !attention) attention = attention_layer_of(config.attn_cfg, config.d_model, source);
        if (!attends && !ssm) ssm = ssm_layer_of(config.ssm_cfg, config.d_model, source, a_activation);
        model.layers.push_back(attends ? *attention : *ssm);
    }
    if (a_activation && !(ssm && std::holds_alternative<Mamba3Config>(*ssm)))
        throw UserError(one_line("--a-activation: " + source + " describes no Mamba-3 layer"));
    validate(model, source);
    return model;
}

namespace {

Value arguments_of(const MixerConfig& layer, const std::string& at, std::vector<std::string>& notes) {
    if (std::holds_alternative<GatedDeltaNetConfig>(layer))
        throw UserError(one_line(at + ": is a gated_delta_net layer; use --format fla or whorl"));
    const auto* attention = std::get_if<AttentionConfig>(&layer);
    return attention ? attn_cfg_of(*attention) : ssm_cfg_of(layer, at, notes);
}

}  // namespace

std::string mamba_config_json(const ModelConfig& model, const std::string& where, std::vector<std::string>& notes) {
    if (model.norm_epsilon != kMambaNormEpsilon)
        fail_at_key(where, "norm_epsilon", "the Mamba release has 1e-5 only; use --format whorl");
    if (model.initializer_range != ModelConfig{}.initializer_range)
        notes.emplace_back("initializer_range concerns training only; the release has no place for it");
    MambaConfig config;
    config.d_model = model.d_model;
    config.d_intermediate = model.d_intermediate;
    config.n_layer = model.n_layer;
    config.vocab_size = model.vocab_size;
    config.pad_vocab_size_multiple = 1;  // the rows are exported as they are
    config.tie_embeddings = model.tie_embeddings;
    bool seen[2] = {false, false};  // a Mamba layer, an attention layer
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const std::string at = where + ": layers[" + std::to_string(i) + "]";
        const bool attends = std::holds_alternative<AttentionConfig>(model.layers[i]);
        const Value arguments = arguments_of(model.layers[i], at, notes);
        Value& common = attends ? config.attn_cfg : config.ssm_cfg;
        if (seen[attends] && write_json(common) != write_json(arguments))
            fail_at_key(where, "layers[" + std::to_string(i) + "]",
                        "differs from an earlier layer of its kind; the Mamba release has one config for all; use "
                        "--format whorl");
        seen[attends] = true;
        common = arguments;
        if (attends) config.attn_layer_idx.push_back(static_cast<std::int64_t>(i));
    }
    return to_json(config, 2) + "\n";
}

}  // namespace whorl::interchange
