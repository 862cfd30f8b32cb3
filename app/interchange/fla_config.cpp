#include "app/interchange/fla_config.hpp"

#include <algorithm>

#include "app/interchange/released_config.hpp"
#include "core/config/model_config_io.hpp"

namespace whorl::interchange {
namespace {

constexpr double kMostLayers = 256;
constexpr double kLargestWidth = 65536;
constexpr double kLargestVocabulary = 1 << 20;
constexpr double kLargestRatio = 64;
constexpr std::int64_t kMlpMultiple = 256;
constexpr const char* kModelType = "gated_deltanet";
constexpr const char* kArchitecture = "GatedDeltaNetForCausalLM";

}  // namespace

template <class V>
void describe(V& v, FlaAttention& a) {
    pass_over_nulls(v);
    v.field("layers", a.layers, range(0, kMostLayers - 1).required());
    v.field("num_heads", a.num_heads, range(1, kLargestWidth).required());
    v.field("num_kv_heads", a.num_kv_heads);
    only(v, "qkv_bias", false, "projections have no bias");
    only(v, "rope_theta", 10000.0, "RoPE has base 10000");
    only_read(v, "qk_norm", false, "queries and keys are not normed");
    absent(v, "window_size", "attention sees all earlier positions");
    v.require(a.num_kv_heads.value_or(a.num_heads) == a.num_heads, "num_kv_heads",
              "must equal num_heads: keys and values that heads share are not read yet");
}

template <class V>
void describe_identity(V& v) {
    if constexpr (kReads<V>) {
        pass_over_nulls(v);
        ignore_library_keys(v);
        only(v, "model_type", std::string(kModelType), "of the models in this layout, Gated DeltaNet is read");
    } else {
        v.field("architectures", std::vector<std::string>{kArchitecture});
        v.field("model_type", std::string(kModelType));
        v.field("torch_dtype", std::string("float32"));
    }
}

template <class V>
void describe(V& v, FlaConfig& c) {
    describe_identity(v);
    v.field("hidden_size", c.hidden_size, range(1, kLargestWidth).required());
    v.field("num_hidden_layers", c.num_hidden_layers, range(1, kMostLayers).required());
    v.field("vocab_size", c.vocab_size, range(1, kLargestVocabulary).required());
    v.field("head_dim", c.head_dim, range(1, kLargestWidth));
    v.field("num_heads", c.num_heads, range(1, kLargestWidth));
    v.field("num_v_heads", c.num_v_heads, range(1, kLargestWidth));
    v.field("expand_v", c.expand_v, above(0).at_most(kLargestRatio));
    v.field("allow_neg_eigval", c.allow_neg_eigval);
    v.field("use_short_conv", c.use_short_conv);
    v.field("conv_size", c.conv_size, range(2, 8));
    v.field("hidden_ratio", c.hidden_ratio, above(0).at_most(kLargestRatio));
    v.field("intermediate_size", c.intermediate_size, range(1, kLargestVocabulary));
    v.field("norm_eps", c.norm_eps, above(0).at_most(1));
    v.field("initializer_range", c.initializer_range, above(0));
    v.field("tie_word_embeddings", c.tie_word_embeddings);
    v.field("attn", c.attn);
    only(v, "use_gate", true, "the layer gates its output");
    only_read(v, "conv_bias", false, "its short convolutions have no bias");
    only(v, "hidden_act", std::string("swish"), "the MLP is a SwiGLU");
    ignore(v, {"attn_mode", "max_position_embeddings", "fuse_norm", "fuse_swiglu", "fuse_cross_entropy",
               "fuse_linear_cross_entropy", "use_l2warp"});
    if constexpr (kReads<V>) v.field("norm_first", c.norm_first);
    if (kReads<V> || c.no_mlp) v.field("whorl_no_mlp", c.no_mlp);
}

std::int64_t FlaConfig::intermediate() const {
    if (intermediate_size) return *intermediate_size;
    const auto width = static_cast<std::int64_t>(static_cast<double>(hidden_size) * hidden_ratio.value_or(4.0) * 2 / 3);
    return (width + kMlpMultiple - 1) / kMlpMultiple * kMlpMultiple;
}

FlaConfig read_fla_config(const Document& document) {
    return read_config<FlaConfig>(document);
}

namespace {

GatedDeltaNetConfig delta_layer(const FlaConfig& config) {
    GatedDeltaNetConfig layer;
    layer.num_heads = config.num_heads;
    layer.num_v_heads = config.num_v_heads;
    layer.head_dim = config.head_dim;
    layer.expand_v = config.expand_v;
    layer.allow_neg_eigval = config.allow_neg_eigval;
    layer.short_conv = config.use_short_conv ? config.conv_size : 0;
    return layer;
}

AttentionConfig attention_layer(const FlaConfig& config, const std::string& source) {
    const std::int64_t heads = config.attn->num_heads;
    if (config.hidden_size % heads != 0)
        fail_at_key(source, "attn.num_heads", "does not divide hidden_size = " + std::to_string(config.hidden_size));
    return {heads, config.hidden_size / heads, Positions::rope};
}

bool attends(const FlaConfig& config, std::int64_t layer) {
    return config.attn && std::count(config.attn->layers.begin(), config.attn->layers.end(), layer) > 0;
}

/// What the release's config says of a layer, as text to compare; one config stands for all layers of a kind.
std::string comparable(GatedDeltaNetConfig layer) {
    layer.num_v_heads = layer.v_heads();
    layer.dt_init = {};  // of training only, and fixed in the release
    return write_json(to_value(layer));
}
std::string comparable(const AttentionConfig& layer) {
    return write_json(to_value(layer));
}

/// `first` is empty before the first layer of its kind.
template <class Layer>
void require_equal(std::string& first, const Layer& layer, const std::string& at) {
    const std::string text = comparable(layer);
    if (!first.empty() && first != text)
        throw UserError(one_line(at + ": differs from an earlier layer of its kind; the Gated DeltaNet release has one "
                                      "config for all; use --format whorl"));
    first = text;
}

void set_delta_layer(FlaConfig& config, const GatedDeltaNetConfig& layer) {
    config.num_heads = layer.num_heads;
    config.num_v_heads = layer.num_v_heads;
    config.head_dim = layer.head_dim;
    config.expand_v = layer.expand_v;
    config.allow_neg_eigval = layer.allow_neg_eigval;
    config.use_short_conv = layer.short_conv > 0;
    if (config.use_short_conv) config.conv_size = layer.short_conv;
}

void add_attention_layer(FlaConfig& config, const AttentionConfig& layer, std::int64_t index, const std::string& at) {
    if (layer.positions != Positions::rope || layer.num_heads * layer.head_dim != config.hidden_size)
        throw UserError(one_line(at + ": the Gated DeltaNet release has attention with RoPE and num_heads·head_dim = "
                                      "d_model only; use --format whorl"));
    if (!config.attn) config.attn = FlaAttention{{}, layer.num_heads, layer.num_heads};
    config.attn->layers.push_back(index);
}

}  // namespace

ModelConfig model_of(const FlaConfig& config, const std::string& source) {
    ModelConfig model;
    model.d_model = config.hidden_size;
    model.n_layer = config.num_hidden_layers;
    model.vocab_size = config.vocab_size;
    model.d_intermediate = config.no_mlp ? 0 : config.intermediate();
    model.tie_embeddings = config.tie_word_embeddings;
    model.norm_epsilon = config.norm_eps;
    model.init = Initialization::fla;
    model.initializer_range = config.initializer_range;
    for (std::int64_t i = 0; i < config.num_hidden_layers; ++i)
        model.layers.push_back(attends(config, i) ? MixerConfig(attention_layer(config, source))
                                                  : MixerConfig(delta_layer(config)));
    if (config.attn)
        for (const std::int64_t layer : config.attn->layers)
            if (layer >= config.num_hidden_layers)
                fail_at_key(source, "attn.layers", std::to_string(layer) + " is not below num_hidden_layers");
    validate(model, source);
    return model;
}

FlaConfig fla_config_of(const ModelConfig& model, const std::string& where) {
    FlaConfig config;
    config.hidden_size = model.d_model;
    config.num_hidden_layers = model.n_layer;
    config.vocab_size = model.vocab_size;
    config.no_mlp = model.d_intermediate == 0;
    config.hidden_ratio.reset();
    config.intermediate_size = config.no_mlp ? kFlaZeroMlp : model.d_intermediate;
    config.norm_eps = model.norm_epsilon;
    config.initializer_range = model.initializer_range;
    config.tie_word_embeddings = model.tie_embeddings;
    std::string delta, attention;
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const MixerConfig& mixer = model.layers[i];
        const std::string at = where + ": layers[" + std::to_string(i) + "]";
        if (const auto* layer = std::get_if<GatedDeltaNetConfig>(&mixer)) {
            require_equal(delta, *layer, at);
            set_delta_layer(config, *layer);
        } else if (const auto* softmax = std::get_if<AttentionConfig>(&mixer)) {
            require_equal(attention, *softmax, at);
            add_attention_layer(config, *softmax, static_cast<std::int64_t>(i), at);
        } else {
            throw UserError(one_line(at + ": is a " + mixer_type(mixer) + " layer; use --format mamba or whorl"));
        }
    }
    return config;
}

std::string fla_config_json(const FlaConfig& config) {
    return to_json(config, 2) + "\n";
}

}  // namespace whorl::interchange
