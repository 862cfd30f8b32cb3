#include "app/interchange/import_model.hpp"
#include "core/base/error.hpp"
#include "core/config/model_config_io.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/release.hpp"

using namespace whorl;
using namespace whorl::interchange;
using namespace whorl::interchange_test;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Two layers of Gated DeltaNet with MLPs; the last one may be softmax attention.
ModelConfig delta_model(bool hybrid) {
    GatedDeltaNetConfig layer;
    layer.num_heads = 1;
    layer.num_v_heads = 2;
    layer.head_dim = 4;
    layer.expand_v = 1.5;
    ModelConfig config;
    config.d_model = 8;
    config.n_layer = 2;
    config.vocab_size = 5;
    config.d_intermediate = 6;
    config.tie_embeddings = false;
    config.norm_epsilon = 1e-6;
    config.init = Initialization::fla;
    config.layers = {layer, layer};
    if (hybrid) config.layers[1] = AttentionConfig{2, 4, Positions::rope};
    return config;
}

std::string delta_json(const std::string& more = "") {
    return R"({"model_type": "gated_deltanet", "architectures": ["GatedDeltaNetForCausalLM"], "hidden_size": 8, "num_hidden_layers": 2, "vocab_size": 5,
               "head_dim": 4, "num_heads": 1, "num_v_heads": 2, "expand_v": 1.5, "allow_neg_eigval": true, "intermediate_size": 6, "conv_size": 4,
               "norm_eps": 1e-06, "hidden_act": "swish", "attn_mode": "chunk", "fuse_norm": true, "use_cache": true)" +
           more + "}";
}

const std::string kHybrid =
    R"(, "attn": {"layers": [1], "num_heads": 2, "num_kv_heads": 2, "qkv_bias": false, "window_size": null, "rope_theta": 10000.0})";

/// Rows [first, first + count) of a parameter.
ReleasedTensor rows(const TinyModel& model, const std::string& name, std::int64_t first, std::int64_t count) {
    const std::vector<float> all = model.values(name);
    const std::int64_t width = model.shape(name)[1];
    return {{count, width}, {all.begin() + first * width, all.begin() + (first + count) * width}};
}

ReleasedTensor same(const TinyModel& model, const std::string& name) {
    return {model.shape(name), model.values(name)};
}

void add_layer(ReleasedTensors& tensors, const TinyModel& model, int layer, bool attention) {
    const std::string from = "backbone.layers." + std::to_string(layer) + ".",
                      to = "model.layers." + std::to_string(layer) + ".";
    tensors[to + "attn_norm.weight"] = same(model, from + "norm.weight");
    tensors[to + "mlp_norm.weight"] = same(model, from + "norm2.weight");
    tensors[to + "mlp.up_proj.weight"] = rows(model, from + "mlp.fc1.weight", 0, 6);    // y
    tensors[to + "mlp.gate_proj.weight"] = rows(model, from + "mlp.fc1.weight", 6, 6);  // g of y ⊙ silu(g)
    tensors[to + "mlp.down_proj.weight"] = same(model, from + "mlp.fc2.weight");
    if (attention) {
        tensors[to + "attn.q_proj.weight"] = rows(model, from + "mixer.in_proj.weight", 0, 8);
        tensors[to + "attn.k_proj.weight"] = rows(model, from + "mixer.in_proj.weight", 8, 8);
        tensors[to + "attn.v_proj.weight"] = rows(model, from + "mixer.in_proj.weight", 16, 8);
        tensors[to + "attn.o_proj.weight"] = same(model, from + "mixer.out_proj.weight");
        return;
    }
    for (const char* name : {"q_proj.weight", "k_proj.weight", "v_proj.weight", "g_proj.weight", "a_proj.weight",
                             "b_proj.weight", "o_proj.weight", "q_conv1d.weight", "k_conv1d.weight", "v_conv1d.weight",
                             "A_log", "dt_bias", "o_norm.weight"})
        if (model.layout.find(from + "mixer." + name) >= 0)
            tensors[to + "attn." + name] = same(model, from + "mixer." + name);
}

ReleasedTensors fla_release(const TinyModel& model, bool hybrid) {
    ReleasedTensors tensors;
    tensors["model.embeddings.weight"] = same(model, "backbone.embedding.weight");
    tensors["model.norm.weight"] = same(model, "backbone.norm_f.weight");
    tensors["lm_head.weight"] = same(model, "lm_head.weight");
    for (int layer = 0; layer < 2; ++layer) add_layer(tensors, model, layer, hybrid && layer == 1);
    return tensors;
}

std::string import_error(const std::string& config, const ReleasedTensors& tensors) {
    const TemporaryFolder folder;
    const std::string path = write_release(folder, config, tensors);
    return message_of<UserError>([&] { import_model(path, {}); });
}

}  // namespace

TEST_CASE("import: Gated DeltaNet, with and without softmax attention", "[interchange]") {
    const bool hybrid = GENERATE(false, true);
    const TinyModel model(delta_model(hybrid));
    const TemporaryFolder folder;
    const ImportedModel imported =
        import_model(write_release(folder, delta_json(hybrid ? kHybrid : ""), fla_release(model, hybrid)), {});
    CHECK(to_json(imported.config) == to_json(model.config));
    CHECK(imported.slice == model.slice);
    CHECK(imported.notes.empty());
    const std::vector<std::int32_t> tokens = {4, 0, 2, 2, 1};
    CHECK(logits(imported.config, imported.slice, tokens) == logits(model.config, model.slice, tokens));
}

TEST_CASE("import: null options and keys for a loader are passed over, others are not", "[interchange]") {
    const TinyModel model(delta_model(true));
    const ReleasedTensors tensors = fla_release(model, true);
    const std::string hybrid = kHybrid.substr(0, kHybrid.size() - 1) + R"(, "sinks": null})";
    const TemporaryFolder folder;
    const ImportedModel imported = import_model(
        write_release(folder, delta_json(hybrid + R"(, "attnres_block_size": null, "auto_map": {"AutoModel": "m.M"},
                                             "tokenizer_class": "T", "torchscript": false)"),
                      tensors),
        {});
    CHECK(to_json(imported.config) == to_json(model.config));
    CHECK_THAT(import_error(delta_json(R"(, "attnres_block_size": 4)"), tensors),
               ContainsSubstring("config.json: attnres_block_size: unknown key"));
}

TEST_CASE("import: initializer_range stays with the model", "[interchange]") {
    const TinyModel model(delta_model(false));
    const TemporaryFolder folder;
    const std::string json = delta_json(R"(, "initializer_range": 0.006)");
    CHECK(import_model(write_release(folder, json, fla_release(model, false)), {}).config.initializer_range == 0.006);
}

TEST_CASE("import: Gated DeltaNet without short convolution", "[interchange]") {
    ModelConfig config = delta_model(false);
    for (MixerConfig& layer : config.layers) std::get<GatedDeltaNetConfig>(layer).short_conv = 0;
    const TinyModel model(config);
    const TemporaryFolder folder;
    const ImportedModel imported =
        import_model(write_release(folder, delta_json(R"(, "use_short_conv": false)"), fla_release(model, false)), {});
    CHECK(to_json(imported.config) == to_json(config));
    CHECK(imported.slice == model.slice);
}

TEST_CASE("import: Gated DeltaNet as it was stored before March 2025", "[interchange]") {
    const bool norm_first = GENERATE(false, true), hybrid = GENERATE(false, true);
    const TinyModel model(delta_model(hybrid));
    ReleasedTensors tensors = fla_release(model, hybrid);
    for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
        ReleasedTensor &gate = tensors[layer + "mlp.gate_proj.weight"], &up = tensors[layer + "mlp.up_proj.weight"];
        gate.values.insert(gate.values.end(), up.values.begin(), up.values.end());  // the gate's rows come first
        gate.shape[0] *= 2;
        tensors.erase(layer + "mlp.up_proj.weight");
        if (layer == "model.layers.0." || !hybrid) tensors[layer + "attn.D"] = {{2}, {1, 1}};
        if (!norm_first) continue;
        for (const std::string part : {"attn", "mlp"}) {
            tensors[layer + part + ".norm.weight"] = tensors[layer + part + "_norm.weight"];
            tensors.erase(layer + part + "_norm.weight");
        }
    }
    const std::string json =
        delta_json((hybrid ? kHybrid : "") + R"(, "norm_first": )" + (norm_first ? "true" : "false"));
    const TemporaryFolder folder;
    const ImportedModel imported = import_model(write_release(folder, json, tensors), {});
    CHECK(to_json(imported.config) == to_json(model.config));
    CHECK(imported.slice == model.slice);
    REQUIRE(imported.notes.size() == 1);
    CHECK_THAT(imported.notes[0], ContainsSubstring("attn.D: not used"));
    tensors["model.layers.0.mlp.gate_proj.weight"].shape = {6, 16};
    CHECK_THAT(import_error(json, tensors), ContainsSubstring("mlp.up_proj.weight: is missing"));
}

TEST_CASE("import: the Gated DeltaNet release's defaults", "[interchange]") {
    // hidden_ratio 4 of width 8 rounds up to 256; head_dim 256 and 6 heads are the release's.
    const std::string config =
        R"({"hidden_size": 8, "num_hidden_layers": 1, "vocab_size": 5, "hidden_ratio": 4, "intermediate_size": null})";
    ReleasedTensors tensors;
    tensors["model.embeddings.weight"] = {{5, 8}, std::vector<float>(40)};
    CHECK_THAT(import_error(config, tensors), ContainsSubstring("model.layers.0.attn_norm.weight: is missing"));
    tensors["model.layers.0.attn_norm.weight"] = {{8}, std::vector<float>(8)};
    tensors["model.layers.0.attn.q_proj.weight"] = {{8, 8}, std::vector<float>(64)};
    CHECK_THAT(import_error(config, tensors),
               ContainsSubstring("q_proj.weight: shape [8,8], but the config needs [1536,8]"));
}

TEST_CASE("import: what Gated DeltaNet here cannot do is refused by name", "[interchange]") {
    const TinyModel model(delta_model(false));
    const ReleasedTensors tensors = fla_release(model, false);
    const auto refused = [&](const std::string& member) { return import_error(delta_json(", " + member), tensors); };
    CHECK_THAT(refused(R"("use_gate": false)"), ContainsSubstring("config.json: use_gate: only true is supported"));
    CHECK_THAT(refused(R"("conv_bias": true)"), ContainsSubstring("conv_bias: only false"));
    CHECK_THAT(refused(R"("expand_k": 0.5)"), ContainsSubstring("expand_k: unknown key; did you mean 'expand_v'?"));
    CHECK_THAT(refused(R"("attn": {"layers": [1], "num_heads": 2, "window_size": 128})"),
               ContainsSubstring("attn.window_size: is not supported"));
    CHECK_THAT(refused(R"("attn": {"layers": [1], "num_heads": 2, "num_kv_heads": 1})"),
               ContainsSubstring("attn.num_kv_heads: must equal num_heads"));
    CHECK_THAT(refused(R"("attn": {"layers": [1], "num_heads": 2, "qkv_bias": true})"),
               ContainsSubstring("attn.qkv_bias: only false"));
    CHECK_THAT(refused(R"("attn": {"layers": [1], "num_heads": 2, "rope_theta": 500000})"),
               ContainsSubstring("attn.rope_theta: only 10000.0"));
    CHECK_THAT(refused(R"("attn": {"layers": [2], "num_heads": 2})"), ContainsSubstring("attn.layers: 2 is not below"));
    CHECK_THAT(import_error(R"({"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 2})", tensors),
               ContainsSubstring("model_type: 'llama'") && ContainsSubstring("is not read; expected gated_deltanet"));
    CHECK_THAT(import_error(R"({"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 2})", tensors),
               ContainsSubstring("the layout of Hugging Face transformers"));
    CHECK_THAT(import_error(R"({"width": 8})", tensors), ContainsSubstring("is neither a config of the Mamba release"));
}

TEST_CASE("import: a tied Gated DeltaNet file may repeat its head", "[interchange]") {
    ModelConfig config = delta_model(false);
    config.tie_embeddings = true;
    const TinyModel tied(config);
    const TinyModel untied(delta_model(false));
    ReleasedTensors tensors = fla_release(untied, false);
    const std::string json = delta_json(R"(, "tie_word_embeddings": true)");
    CHECK_THAT(import_error(json, tensors), ContainsSubstring("lm_head.weight: differs from model.embeddings.weight"));
    tensors["lm_head.weight"] = tensors["model.embeddings.weight"];
    const TemporaryFolder folder;
    const ImportedModel imported = import_model(write_release(folder, json, tensors), {});
    CHECK(imported.config.tie_embeddings);
    CHECK(imported.notes.size() == 1);
    tensors.erase("model.embeddings.weight");  // the head alone
    const TemporaryFolder other;
    const ImportedModel from_head = import_model(write_release(other, json, tensors), {});
    CHECK(from_head.slice == imported.slice);
    CHECK_THAT(from_head.notes.at(0), ContainsSubstring("lm_head.weight: is the embedding, too"));
}
