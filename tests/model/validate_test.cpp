// Shapes that no layer can have: each is refused in one line that names the key.
#include <functional>

#include "core/base/error.hpp"
#include "core/model/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/model_run.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

/// The message of validate, empty when the config is fine.
std::string refusal(const ModelConfig& config) {
    try {
        validate(config, "recipe.toml");
    } catch (const UserError& error) {
        return error.what();
    }
    return {};
}

void check_refused(const ModelConfig& config, const std::string& key) {
    const std::string message = refusal(config);
    INFO(key << ": " << message);
    CHECK(message.rfind("recipe.toml: " + key, 0) == 0);
    CHECK(message.size() > ("recipe.toml: " + key).size() + 5);  // says why
    CHECK(message.find('\n') == std::string::npos);
}

template <class Mixer>
void check_layer_refused(const Mixer& good, const std::string& key, const std::function<void(Mixer&)>& spoil) {
    CHECK(refusal(one_layer(good)) == "");
    Mixer bad = good;
    spoil(bad);
    check_refused(one_layer(bad), "layers[0]." + key);
}

Mamba3Config mamba3_config() {
    Mamba3Config config;
    config.headdim = 6;
    config.d_state = 8;
    return config;
}

}  // namespace

TEST_CASE("a mamba3 layer that cannot be is refused by its key", "[model][validate]") {
    const auto check = [](const std::string& key, const std::function<void(Mamba3Config&)>& spoil) {
        check_layer_refused(mamba3_config(), key, spoil);
    };
    check("headdim", [](auto& c) { c.headdim = 5; });  // does not divide 24
    check("headdim", [](auto& c) { c.headdim = 0; });
    check("headdim", [](auto& c) { c.headdim = 48; });
    check("d_state", [](auto& c) { c.d_state = 0; });
    check("d_state", [](auto& c) { c.d_state = -4; });
    check("expand", [](auto& c) { c.expand = 0; });
    check("ngroups", [](auto& c) { c.ngroups = 3; });  // of 4 heads
    check("ngroups", [](auto& c) { c.ngroups = 0; });
    check("rope_fraction", [](auto& c) { c.rope_fraction = 0; });    // S = 0 with rotation
    check("rope_fraction", [](auto& c) { c.rope_fraction = 0.2; });  // floor(1.6) / 2 = 0
    check("rope_fraction", [](auto& c) { c.rope_fraction = 1.5; });
    check("rope_fraction", [](auto& c) { c.d_state = 1; });
    check("d_state", [](auto& c) { c.d_state = 7, c.rotary_pairing = RotaryPairing::halves; });
    check("d_state", [](auto& c) { c.d_state = 7, c.mimo = true; });  // MIMO pairs halves by default
    check("mimo_rank", [](auto& c) { c.mimo_rank = 2; });
    check("mimo_rank", [](auto& c) { c.mimo = true, c.mimo_rank = 0; });
    check("a_floor", [](auto& c) { c.a_floor = 0; });
    check("short_conv", [](auto& c) { c.short_conv = 1; });
    check("short_conv", [](auto& c) { c.short_conv = 9; });
    check("H", [](auto& c) { c.H = 5; });
    check("dt_min, dt_max", [](auto& c) { c.dt_init = {0.1, 0.01, 1e-4}; });
    check("dt_min, dt_max", [](auto& c) { c.dt_init = {0, 0.01, 1e-4}; });
    check("dt_init_floor", [](auto& c) { c.dt_init.floor = -1; });
}

TEST_CASE("what looks odd but works is accepted", "[model][validate]") {
    Mamba3Config config = mamba3_config();
    config.H = 4;
    config.d_state = 7;
    CHECK(refusal(one_layer(config)) == "");  // odd with neighbours
    config.rotation = Rotation::none;
    config.d_state = 1;
    CHECK(refusal(one_layer(config)) == "");  // S = 0 without rotation
    config = mamba3_config();
    config.mimo = true;
    CHECK(refusal(one_layer(config)) == "");  // MIMO of rank 1
    config.ngroups = 4;
    CHECK(refusal(one_layer(config)) == "");
}

TEST_CASE("mamba2, gated delta net and attention layers that cannot be are refused by their keys",
          "[model][validate]") {
    Mamba2Config two;
    two.headdim = 6;
    check_layer_refused<Mamba2Config>(two, "headdim", [](auto& c) { c.headdim = 7; });
    check_layer_refused<Mamba2Config>(two, "ngroups", [](auto& c) { c.ngroups = 3; });
    check_layer_refused<Mamba2Config>(two, "short_conv", [](auto& c) { c.short_conv = 1; });
    Mamba2Config bare = two;
    bare.short_conv = 0;
    CHECK(refusal(one_layer(bare)) == "");
    check_layer_refused<Mamba2Config>(two, "H", [](auto& c) { c.H = 3; });
    GatedDeltaNetConfig delta;
    delta.num_heads = 2;
    delta.head_dim = 5;
    check_layer_refused<GatedDeltaNetConfig>(delta, "num_v_heads", [](auto& c) { c.num_v_heads = 3; });
    check_layer_refused<GatedDeltaNetConfig>(delta, "num_v_heads", [](auto& c) { c.num_v_heads = 0; });
    check_layer_refused<GatedDeltaNetConfig>(delta, "num_heads", [](auto& c) { c.num_heads = 0; });
    check_layer_refused<GatedDeltaNetConfig>(delta, "head_dim", [](auto& c) { c.head_dim = -1; });
    check_layer_refused<GatedDeltaNetConfig>(delta, "expand_v", [](auto& c) { c.expand_v = 1.5; });  // 7.5 channels
    check_layer_refused<GatedDeltaNetConfig>(delta, "expand_v", [](auto& c) { c.expand_v = 0; });
    check_layer_refused<GatedDeltaNetConfig>(delta, "short_conv", [](auto& c) { c.short_conv = 1; });
    delta.short_conv = 0;
    CHECK(refusal(one_layer(delta)) == "");
    check_layer_refused<AttentionConfig>({2, 6, Positions::rope}, "head_dim", [](auto& c) { c.head_dim = 5; });
    check_layer_refused<AttentionConfig>({2, 6, Positions::rope}, "num_heads", [](auto& c) { c.num_heads = 0; });
    CHECK(refusal(one_layer(AttentionConfig{2, 5, Positions::none})) == "");
}

TEST_CASE("a model that cannot be is refused by its key", "[model][validate]") {
    const auto check = [](const std::string& key, const std::function<void(ModelConfig&)>& spoil) {
        ModelConfig config = one_layer(mamba3_config());
        spoil(config);
        check_refused(config, key);
    };
    check("d_model", [](auto& c) { c.d_model = 0; });
    check("vocab_size", [](auto& c) { c.vocab_size = 0; });
    check("d_intermediate", [](auto& c) { c.d_intermediate = -1; });
    check("norm_epsilon", [](auto& c) { c.norm_epsilon = 0; });
    check("initializer_range", [](auto& c) { c.initializer_range = 0; });
    check("n_layer", [](auto& c) { c.n_layer = 0; });
    check("layers", [](auto& c) { c.n_layer = 2; });
    ModelConfig second = one_layer(mamba3_config());
    second.n_layer = 2;
    second.layers.push_back(AttentionConfig{0, 4, Positions::rope});
    check_refused(second, "layers[1].num_heads");
}

TEST_CASE("every preset makes a valid model, by a name of its own", "[model][registry]") {
    std::vector<std::string> names;
    for (const ModelPreset& preset : model_presets()) {
        INFO(preset.name);
        for (const ModelConfig& config : {small_preset(preset.name), preset.make({})}) CHECK(refusal(config) == "");
        CHECK(std::count(names.begin(), names.end(), preset.name) == 0);
        names.push_back(preset.name);
        CHECK(model_preset(preset.name).description == preset.description);
    }
    CHECK_THROWS_WITH(model_preset("mamba33"), Catch::Matchers::ContainsSubstring("did you mean 'mamba3'"));
}
