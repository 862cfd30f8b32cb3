#include <chrono>

#include "app/interchange/import_model.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/model_config_io.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/release.hpp"

using namespace whorl;
using namespace whorl::interchange;
using namespace whorl::interchange_test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::vector<std::int32_t> kTokens = {1, 0, 2, 2, 1, 0, 1};

Mamba3Config mamba3_layer() {
    Mamba3Config layer;
    layer.headdim = 4;
    layer.d_state = 8;
    layer.rope_fraction = 0.5;
    return layer;
}

ModelConfig model_with(const MixerConfig& layer, std::int64_t d_intermediate = 0, bool tied = true) {
    ModelConfig config;
    config.d_model = 8;
    config.n_layer = 2;
    config.vocab_size = 3;
    config.d_intermediate = d_intermediate;
    config.tie_embeddings = tied;
    config.layers = {layer, layer};
    return config;
}

/// The config of model_with(mamba3_layer()), with `more` members in ssm_cfg and `top` ones outside.
std::string mamba3_json(const std::string& more = "", const std::string& top = "") {
    return R"({"d_model": 8, "n_layer": 2, "vocab_size": 3, "pad_vocab_size_multiple": 8, "rms_norm": true, "residual_in_fp32": true, )"
           R"("fused_add_norm": true, "torch_dtype": "bfloat16")" +
           top + R"(, "ssm_cfg": {"layer": "Mamba3", "d_state": 8, "headdim": 4)" + more + "}}";
}

const std::string kSoftplus = R"(, "a_activation": "softplus")";

ImportOptions with_softplus() {
    ImportOptions options;
    options.a_activation = AActivation::softplus;
    return options;
}

ReleasedTensors padded_release(const TinyModel& model) {
    ReleasedTensors tensors = mamba_release(model);
    append_rows(tensors["backbone.embedding.weight"], 8 - model.config.vocab_size, 0.25F);
    return tensors;
}

std::string import_error(const std::string& config, const ReleasedTensors& tensors, const ImportOptions& options = {}) {
    const TemporaryFolder folder;
    const std::string path = write_release(folder, config, tensors);
    return message_of<UserError>([&] { import_model(path, options); });
}

void check_same_model(const ImportedModel& imported, const TinyModel& model) {
    CHECK(to_json(imported.config) == to_json(model.config));
    CHECK(imported.slice == model.slice);
    CHECK(logits(imported.config, imported.slice, kTokens) == logits(model.config, model.slice, kTokens));
}

}  // namespace

TEST_CASE("import: Mamba-3 SISO with a padded vocabulary", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    const TemporaryFolder folder;
    const std::string path = write_release(folder, mamba3_json(), padded_release(model));
    SECTION("the padding rows are left out, and said to be") {
        const ImportedModel imported = import_model(path, with_softplus());
        check_same_model(imported, model);
        REQUIRE(imported.notes.size() == 1);
        CHECK(imported.notes[0] ==
              "vocabulary: 8 rows stored for 3 tokens (padded to a multiple of 8); padding rows left out (--vocab keep "
              "keeps them)");
    }
    SECTION("kept on request, they are tokens; the other logits stay") {
        ImportOptions options = with_softplus();
        options.vocabulary = VocabularyPadding::keep;
        const ImportedModel imported = import_model(path, options);
        REQUIRE(imported.config.vocab_size == 8);
        CHECK(imported.slice[3 * 8] == 0.25);
        const std::vector<double> wide = logits(imported.config, imported.slice, kTokens),
                                  narrow = logits(model.config, model.slice, kTokens);
        for (std::size_t i = 0; i < narrow.size(); ++i)
            CHECK(wide[i / 3 * 8 + i % 3] == Approx(narrow[i]).epsilon(1e-13));
    }
}

TEST_CASE("import: stored bfloat16 converts exactly", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    ReleasedTensors tensors = padded_release(model);
    for (auto& [name, tensor] : tensors) tensor.type = StoredType::bf16;
    const TemporaryFolder folder;
    check_same_model(import_model(write_release(folder, mamba3_json(kSoftplus), tensors), {}), model);
}

TEST_CASE("import: the a_activation of Mamba-3 is never guessed", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    const std::string missing = import_error(mamba3_json(), padded_release(model));
    CHECK_THAT(missing, ContainsSubstring("config.json: ssm_cfg.a_activation: is not stored"));
    CHECK_THAT(missing, ContainsSubstring("--a-activation softplus") && ContainsSubstring("--a-activation heavy_tail"));
    CHECK_THAT(import_error(mamba3_json(R"(, "a_activation": "heavy_tail")"), padded_release(model), with_softplus()),
               ContainsSubstring("says heavy_tail, which --a-activation softplus contradicts"));
    CHECK_THAT(import_error(mamba3_json(R"(, "a_activation": "softplu")"), padded_release(model)),
               ContainsSubstring("did you mean 'softplus'?"));
}

TEST_CASE("import: Mamba-3 MIMO with an output norm, untied", "[interchange]") {
    Mamba3Config layer = mamba3_layer();
    layer.mimo = true;
    layer.mimo_rank = 2;
    layer.outproj_norm = OutprojNorm::pre_gate;
    layer.a_activation = AActivation::heavy_tail;
    layer.a_floor = 0.01;
    const TinyModel model(model_with(layer, 0, false));
    ReleasedTensors tensors = padded_release(model);
    append_rows(tensors["lm_head.weight"], 5, 0.5F);
    const TemporaryFolder folder;
    const std::string config = mamba3_json(
        R"(, "is_mimo": true, "mimo_rank": 2, "is_outproj_norm": true, "A_floor": 0.01, "chunk_size": 16, "rope_fraction": 0.5, "a_activation": "heavy_tail")",
        R"(, "tie_embeddings": false)");
    const ImportedModel imported = import_model(write_release(folder, config, tensors), {});
    check_same_model(imported, model);
    CHECK(std::get<Mamba3Config>(imported.config.layers[0]).pairing() == RotaryPairing::halves);
}

TEST_CASE("import: a Mamba-2 hybrid with attention and an MLP", "[interchange]") {
    Mamba2Config mamba2;
    mamba2.headdim = 4, mamba2.d_state = 8, mamba2.ngroups = 2;
    ModelConfig config = model_with(mamba2, 128);
    config.layers[1] = AttentionConfig{2, 4, Positions::rope};
    const TinyModel model(config);
    const std::string json =
        R"({"d_model": 8, "n_layer": 2, "vocab_size": 3, "d_intermediate": 100, "pad_vocab_size_multiple": 1, "attn_layer_idx": [1],
            "attn_cfg": {"causal": true, "num_heads": 2, "qkv_proj_bias": false, "out_proj_bias": false, "rotary_emb_dim": 4, "d_conv": 0},
            "ssm_cfg": {"layer": "Mamba2", "d_state": 8, "headdim": 4, "ngroups": 2, "chunk_size": 256, "d_ssm": null, "A_init_range": [1, 16]}})";
    SECTION("a wider MLP than d_intermediate says holds weights: kept") {
        const TemporaryFolder folder;
        const ImportedModel imported = import_model(write_release(folder, json, mamba_release(model)), {});
        check_same_model(imported, model);
        CHECK_THAT(imported.notes.at(0), ContainsSubstring("MLP: 128 units stored for d_intermediate = 100; all kept"));
    }
    SECTION("an MLP of another width is an error") {
        ReleasedTensors tensors = mamba_release(model);
        append_rows(tensors["backbone.layers.0.mlp.fc1.weight"], 2, 1);
        CHECK_THAT(import_error(json, tensors),
                   ContainsSubstring("fc1.weight: has 258 rows; expected 2·d_intermediate = 200, or 256"));
        ReleasedTensors other = mamba_release(model);
        other["backbone.layers.1.mlp.fc1.weight"] = {{2, 8}, std::vector<float>(16)};
        CHECK_THAT(import_error(json, other),
                   ContainsSubstring("backbone.layers.1.mlp.fc1.weight: shape [2,8], but the config needs [256,8]"));
    }
}

TEST_CASE("import: a tied checkpoint may repeat its head, but not contradict it", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    ReleasedTensors tensors = padded_release(model);
    tensors["lm_head.weight"] = tensors["backbone.embedding.weight"];
    SECTION("equal") {
        const TemporaryFolder folder;
        check_same_model(import_model(write_release(folder, mamba3_json(kSoftplus), tensors), {}), model);
    }
    SECTION("different, if only in the padding") {
        tensors["lm_head.weight"].values.back() += 1;
        CHECK_THAT(import_error(mamba3_json(kSoftplus), tensors),
                   ContainsSubstring("lm_head.weight: differs from backbone.embedding.weight"));
    }
    SECTION("missing though the config unties it") {
        tensors.erase("lm_head.weight");
        CHECK_THAT(import_error(mamba3_json(kSoftplus, R"(, "tie_embeddings": false)"), tensors),
                   ContainsSubstring("lm_head.weight: is missing"));
    }
}

TEST_CASE("import: every tensor must be accounted for", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    const std::string config = mamba3_json(kSoftplus);
    ReleasedTensors tensors = padded_release(model);
    SECTION("missing") {
        tensors.erase("backbone.layers.1.mixer.D");
        CHECK_THAT(import_error(config, tensors),
                   ContainsSubstring("backbone.layers.1.mixer.D: is missing from the checkpoint; did you mean"));
    }
    SECTION("surplus") {
        tensors["backbone.layers.2.mixer.D"] = {{4}, {1, 1, 1, 1}};
        CHECK_THAT(import_error(config, tensors),
                   ContainsSubstring("'backbone.layers.2.mixer.D': the model of the config has no such tensor"));
    }
    SECTION("misshapen") {
        tensors["backbone.layers.0.mixer.dt_bias"] = {{2, 2}, {1, 1, 1, 1}};
        CHECK_THAT(import_error(config, tensors), ContainsSubstring("dt_bias: shape [2,2], but the config needs [4]"));
    }
    SECTION("of integers") {
        tensors["backbone.layers.0.mixer.D"].type = StoredType::i32;
        CHECK_THAT(import_error(config, tensors),
                   ContainsSubstring("has elements of type I32; expected F32, BF16, F16 or F64"));
    }
    SECTION("a vocabulary of neither size") {
        append_rows(tensors["backbone.embedding.weight"], 1, 1);
        CHECK_THAT(import_error(config, tensors), ContainsSubstring("has 9 rows; expected vocab_size = 3, or 8"));
    }
    SECTION("no matrix") {
        tensors["backbone.embedding.weight"] = {{64}, std::vector<float>(64)};
        CHECK_THAT(import_error(config, tensors),
                   ContainsSubstring("backbone.embedding.weight: has 1 axes, expected 2"));
    }
}

TEST_CASE("import: features that Whorl lacks are named, never passed over", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    const ReleasedTensors tensors = padded_release(model);
    const auto refused = [&](const std::string& config) { return import_error(config, tensors); };
    const auto mamba2 = [&](const std::string& member) {
        return refused(R"({"d_model": 8, "n_layer": 2, "vocab_size": 3, "ssm_cfg": {"layer": "Mamba2", )" + member +
                       "}}");
    };
    CHECK_THAT(refused(mamba3_json("", R"(, "rms_norm_eps": 1e-5)")),
               ContainsSubstring("config.json: rms_norm_eps: unknown key; did you mean 'rms_norm'?"));
    CHECK_THAT(refused(mamba3_json(R"(, "use_conv": true)")), ContainsSubstring("ssm_cfg.use_conv: unknown key"));
    CHECK_THAT(refused(mamba3_json("", R"(, "norm_epsilon": 1e-6)")),
               ContainsSubstring("norm_epsilon: only 1e-05 is supported"));
    CHECK_THAT(
        refused(R"({"d_model": 8, "n_layer": 2, "vocab_size": 3, "rms_norm": false, "ssm_cfg": {"layer": "Mamba2"}})"),
        ContainsSubstring("rms_norm: only true is supported"));
    CHECK_THAT(mamba2(R"("D_has_hdim": true)"), ContainsSubstring("ssm_cfg.D_has_hdim: only false is supported"));
    CHECK_THAT(mamba2(R"("norm_before_gate": true)"), ContainsSubstring("ssm_cfg.norm_before_gate: only false"));
    CHECK_THAT(mamba2(R"("dt_limit": [0.0, 1.0])"),
               ContainsSubstring("ssm_cfg.dt_limit: only [0.0, Infinity] is supported"));
    CHECK_THAT(mamba2(R"("d_ssm": 8)"),
               ContainsSubstring("ssm_cfg.d_ssm: 8 is not supported; expected null or expand·d_model = 16"));
    CHECK_THAT(refused(R"({"d_model": 8, "n_layer": 2, "vocab_size": 3})"),
               ContainsSubstring("ssm_cfg.layer: absent, which means 'Mamba1'"));
    CHECK_THAT(
        refused(mamba3_json(
            kSoftplus,
            R"(, "attn_layer_idx": [1], "attn_cfg": {"num_heads": 2, "qkv_proj_bias": false, "out_proj_bias": false})")),
        ContainsSubstring("attn_cfg.causal: must be true"));
    CHECK_THAT(
        refused(mamba3_json(
            kSoftplus, R"(, "attn_layer_idx": [1], "attn_cfg": {"causal": true, "num_heads": 2, "qkv_proj_bias": false,
                                                  "out_proj_bias": false, "d_conv": 4})")),
        ContainsSubstring(
            "attn_cfg.d_conv: only 0 is supported: a short convolution inside attention is not read yet"));
    CHECK_THAT(
        refused(mamba3_json(
            kSoftplus, R"(, "attn_layer_idx": [1], "attn_cfg": {"causal": true, "num_heads": 2, "qkv_proj_bias": false,
                                                  "out_proj_bias": false, "rotary_emb_dim": 2})")),
        ContainsSubstring("attn_cfg.rotary_emb_dim: 2 is not supported: RoPE over a part of a head is not read yet; "
                          "expected 0 or head_dim = 4"));
    CHECK_THAT(refused(mamba3_json(kSoftplus, R"(, "attn_layer_idx": [2])")),
               ContainsSubstring("attn_layer_idx: 2 is not below n_layer = 2"));
}

TEST_CASE("import: what only the release's own program needs is passed over", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    const TemporaryFolder folder;
    const std::string config = mamba3_json(
        kSoftplus +
            R"(, "fuse_pregate_headwise_norm": true, "n_layer": 2, "layer_idx": null, "dropout": 0.1, "gating": null)",
        R"(, "attn_layer_idx": null, "attn_cfg": null, "moe": null, "auto_map": {"AutoConfig": "c.C"})");
    check_same_model(import_model(write_release(folder, config, padded_release(model)), {}), model);
}

TEST_CASE("import: numbers that JSON lacks are the key's to judge", "[interchange]") {
    Mamba2Config layer;
    layer.headdim = 4, layer.d_state = 8;
    const TinyModel model(model_with(layer));
    const auto json = [](const std::string& member) {
        return R"({"d_model": 8, "n_layer": 2, "vocab_size": 3, "_name_or_path": "a \"NaN\" b", )"
               R"("ssm_cfg": {"layer": "Mamba2", "headdim": 4, "d_state": 8, )" +
               member + "}}";
    };
    const TemporaryFolder folder;
    check_same_model(
        import_model(write_release(folder, json(R"("dt_limit": [0.0, Infinity])"), padded_release(model)), {}), model);
    const auto refused = [&](const std::string& member) { return import_error(json(member), padded_release(model)); };
    CHECK_THAT(refused(R"("dt_limit": [-Infinity, Infinity])"),
               ContainsSubstring("ssm_cfg.dt_limit: only [0.0, Infin"));
    CHECK_THAT(refused(R"("dt_min": NaN)"), ContainsSubstring("config.json: ssm_cfg.dt_min: nan is not allowed"));
    CHECK_THAT(refused(R"("expand": Infinity)"), ContainsSubstring("ssm_cfg.expand: expected an integer"));
    CHECK_THAT(refused(R"("expand": infinity)"),
               ContainsSubstring("not valid JSON") && ContainsSubstring("near key 'expand'"));
}

TEST_CASE("import: a config in the layout of another library is called that", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    for (const std::string sizes : {R"("num_hidden_layers": 2)", R"("n_layer": 2, "d_model": 8)"})
        CHECK_THAT(import_error(R"({"model_type": "mamba2", "hidden_size": 8, "state_size": 8, )" + sizes +
                                    R"(, "time_step_limit": [0.0, Infinity]})",
                                padded_release(model)),
                   ContainsSubstring("config.json: model_type: 'mamba2' (a model in the layout of Hugging Face "
                                     "transformers) is not read"));
}

TEST_CASE("import: a tied checkpoint may store its head alone", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    ReleasedTensors tensors = padded_release(model);
    tensors["lm_head.weight"] = tensors["backbone.embedding.weight"];
    tensors.erase("backbone.embedding.weight");
    const TemporaryFolder folder;
    check_same_model(import_model(write_release(folder, mamba3_json(kSoftplus), tensors), {}), model);
    CHECK_THAT(import_error(mamba3_json(kSoftplus, R"(, "tie_embeddings": false)"), tensors),
               ContainsSubstring("backbone.embedding.weight: is missing"));
}

TEST_CASE("import: hostile configs end in one line", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    const ReleasedTensors tensors = padded_release(model);
    for (
        const std::string config :
        {R"({"d_model": 8, "n_layer": 1000000000000, "vocab_size": 3, "ssm_cfg": {"layer": "Mamba2"}})",
         R"({"d_model": 65536, "n_layer": 256, "vocab_size": 3, "ssm_cfg": {"layer": "Mamba2", "ngroups": 65536, "d_state": 65536, "headdim": 1}})",
         R"({"d_model": 8, "n_layer": 2, "vocab_size": 3, "ssm_cfg": {"layer": "Mamba2", "expand": -2}})",
         R"({"d_model": 8, "n_layer": 2, "vocab_size": 3, "ssm_cfg": {"layer": "Mamba2", "headdim": 0}})",
         R"({"d_model": 8, "n_layer": 2, "vocab_size": 3, "ssm_cfg": 5})",
         R"({"d_model": 8, "n_layer": 2, "vocab_size": 3, "pad_vocab_size_multiple": 0})",
         R"({"d_model": 8, "n_layer": 2, "vocab_size": "\n\u001b[31m"})", R"({"d_model": 8, "d_model": 8})", "[]", "{",
         ""}) {
        const std::string message = import_error(config, tensors);
        CAPTURE(config, message);
        CHECK(message.find("(nothing was thrown)") == std::string::npos);
        CHECK(message.find_first_of("\n\x1b") == std::string::npos);
    }
}

TEST_CASE("import: weights in shards, or in one file with its config elsewhere", "[interchange]") {
    const TinyModel model(model_with(mamba3_layer()));
    const TemporaryFolder folder;
    ReleasedTensors first, second;
    std::string map;
    for (const auto& [name, tensor] : padded_release(model)) {
        const bool in_first = first.size() < 5;
        (in_first ? first : second)[name] = tensor;
        map += (map.empty() ? "" : ", ") +
               ("\"" + name + "\": \"model-0000" + (in_first ? "1" : "2") + "-of-00002.safetensors\"");
    }
    const std::string path = folder / "sharded", index = path + "/model.safetensors.index.json";
    std::filesystem::create_directories(path);
    spill(path + "/config.json", mamba3_json(kSoftplus));
    write_tensors(path + "/model-00001-of-00002.safetensors", first);
    write_tensors(path + "/model-00002-of-00002.safetensors", second);
    const auto error = [&] { return message_of<UserError>([&] { import_model(path, {}); }); };
    SECTION("whole") {
        spill(index, R"({"metadata": {"total_size": 1}, "weight_map": {)" + map + "}}");
        check_same_model(import_model(path, {}), model);
    }
    SECTION("an index that leads out of the folder") {
        spill(index, R"({"weight_map": {"a": "../model.safetensors"}})");
        CHECK_THAT(error(), ContainsSubstring("weight_map.a: expected the name of a file in the same folder"));
    }
    SECTION("an index that names a tensor its file lacks") {
        spill(index, R"({"weight_map": {"a": "model-00001-of-00002.safetensors"}})");
        CHECK_THAT(error(), ContainsSubstring("weight_map.a: is not in"));
    }
    SECTION("no index") {
        CHECK_THAT(error(), ContainsSubstring("has neither model.safetensors nor model.safetensors.index.json"));
    }
    SECTION("only a pickled file") {
        spill(path + "/pytorch_model.bin", "");
        const std::string in_folder = error(),
                          alone = message_of<UserError>([&] { import_model(path + "/pytorch_model.bin", {}); });
        CHECK_THAT(in_folder, ContainsSubstring("has only pytorch_model.bin, which is not read"));
        CHECK_THAT(alone, ContainsSubstring("is a PyTorch file, which is not read"));
        for (const std::string& message : {in_folder, alone}) {
            CHECK(one_line(message) == message);  // what a terminal shows can be copied
            CHECK_THAT(message,
                       ContainsSubstring("torch.load(") && ContainsSubstring("save_file(weights, \"model.safe"));
        }
    }
    SECTION("an index of very many files takes no time that grows with their square") {
        map.clear();
        for (int i = 0; i < 100000; ++i)
            map += (i > 0 ? ",\"t" : "\"t") + std::to_string(i) + "\":\"shard-" + std::to_string(i) + ".safetensors\"";
        spill(index, R"({"weight_map": {)" + map + "}}");
        const auto start = std::chrono::steady_clock::now();
        CHECK_THAT(error(), ContainsSubstring("shard-0.safetensors: no such file"));
        CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
    }
    SECTION("one file") {
        const std::string file = folder / "weights.safetensors";
        write_tensors(file, padded_release(model));
        ImportOptions options;
        CHECK_THAT(message_of<UserError>([&] { import_model(file, options); }),
                   ContainsSubstring("--config config.json"));
        options.config_path = path + "/config.json";
        check_same_model(import_model(file, options), model);
    }
}
