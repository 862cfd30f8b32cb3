// Names, shapes and decay flags of every parameter, against the tables of the layers' description.
#include "core/model/parameter_layout.hpp"

#include <map>

#include "tests/support/catch.hpp"
#include "tests/support/model_run.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

struct Expected {
    std::vector<std::int64_t> shape;
    bool decay;
};
using Table = std::map<std::string, Expected>;

/// The layer's parameters are those of `mixer`, and the model's are these and its own.
void check_layout(const ModelConfig& config, const Table& mixer) {
    Table expected = {{"backbone.embedding.weight", {{7, 12}, true}},
                      {"backbone.norm_f.weight", {{12}, false}},
                      {"backbone.layers.0.norm.weight", {{12}, false}}};
    for (const auto& [name, parameter] : mixer) expected["backbone.layers.0.mixer." + name] = parameter;
    if (!config.tie_embeddings) expected["lm_head.weight"] = {{7, 12}, true};
    if (config.d_intermediate > 0) {
        expected["backbone.layers.0.norm2.weight"] = {{12}, false};
        expected["backbone.layers.0.mlp.fc1.weight"] = {{2 * config.d_intermediate, 12}, true};
        expected["backbone.layers.0.mlp.fc2.weight"] = {{12, config.d_intermediate}, true};
    }
    const ParameterLayout layout(config);
    CHECK(layout.parameters().size() == expected.size());
    std::int64_t end = 0, total = 0;
    for (const ParameterInfo& p : layout.parameters()) {
        INFO(p.name);
        REQUIRE(expected.count(p.name) == 1);
        CHECK((p.shape == expected[p.name].shape));
        CHECK(p.decay == expected[p.name].decay);
        std::int64_t count = 1;
        for (const std::int64_t extent : p.shape) count *= extent;
        CHECK(p.count == count);
        CHECK(p.offset >= end);  // in order, without overlap
        CHECK(layout.find(p.name) == layout.index(p.name));
        end = p.offset + p.count;
        total += count;
    }
    CHECK(layout.slice() >= end);
    CHECK(layout.slice() % padded(1, DType::bf16) == 0);  // slices of all replicas start on 64 bytes in every dtype
    CHECK(layout.count() == total);
    CHECK(layout.find("backbone.norm_f") == -1);
    CHECK_THROWS_AS(layout.index("no.such.weight"), std::logic_error);
}

Table mamba3_table(std::int64_t rank) {
    // d_model 12, headdim 6, d_state 10: H = 4, S = 5; groups 2.
    return {{"in_proj.weight", {{2 * 24 + 2 * rank * 2 * 10 + 3 * 4 + 5, 12}, true}},
            {"dt_bias", {{4}, false}},
            {"B_bias", {{4, rank, 10}, false}},
            {"C_bias", {{4, rank, 10}, false}},
            {"B_norm.weight", {{10}, false}},
            {"C_norm.weight", {{10}, false}},
            {"D", {{4}, false}},
            {"out_proj.weight", {{12, 24}, true}}};
}

Mamba3Config mamba3_config() {
    Mamba3Config config;
    config.headdim = 6;
    config.d_state = 10;
    config.ngroups = 2;
    return config;
}

}  // namespace

TEST_CASE("the parameters of mamba3, SISO and MIMO, and what each ablation adds or takes", "[model][layout]") {
    Mamba3Config config = mamba3_config();
    check_layout(one_layer(config), mamba3_table(1));
    config.rotation = Rotation::none;  // in_proj keeps its full shape
    config.discretization = Discretization::euler;
    check_layout(one_layer(config), mamba3_table(1));
    config.bc_bias = BcBias::c;
    config.bc_norm = false;
    config.a_source = ASource::per_head;
    config.short_conv = 4;
    config.outproj_norm = OutprojNorm::pre_gate;
    Table table = mamba3_table(1);
    for (const char* name : {"B_bias", "B_norm.weight", "C_norm.weight"}) table.erase(name);
    table["A_log"] = {{4}, false};
    table["conv1d.weight"] = {{24 + 40, 1, 4}, true};
    table["conv1d.bias"] = {{24 + 40}, false};
    table["norm.weight"] = {{24}, false};
    check_layout(one_layer(config), table);
    Mamba3Config mimo = mamba3_config();
    mimo.mimo = true;
    mimo.mimo_rank = 3;
    table = mamba3_table(3);
    for (const char* name : {"mimo_x", "mimo_z", "mimo_o"}) table[name] = {{4, 3, 6}, true};
    check_layout(one_layer(mimo), table);
    mimo.rope_fraction = 0.5;  // S = floor(5 / 2) = 2
    table["in_proj.weight"].shape[0] -= 3;
    check_layout(one_layer(mimo), table);
}

TEST_CASE("the parameters of mamba2, of gated delta net and of attention", "[model][layout]") {
    Mamba2Config two;
    two.headdim = 6;
    two.d_state = 10;
    two.ngroups = 2;
    check_layout(one_layer(two), {{"in_proj.weight", {{2 * 24 + 40 + 4, 12}, true}},
                                  {"conv1d.weight", {{64, 1, 4}, true}},
                                  {"conv1d.bias", {{64}, false}},
                                  {"dt_bias", {{4}, false}},
                                  {"A_log", {{4}, false}},
                                  {"D", {{4}, false}},
                                  {"norm.weight", {{24}, false}},
                                  {"out_proj.weight", {{12, 24}, true}}});
    GatedDeltaNetConfig delta;
    delta.num_heads = 2;
    delta.num_v_heads = 4;
    delta.head_dim = 5;
    delta.expand_v = 3;
    check_layout(one_layer(delta), {{"q_proj.weight", {{10, 12}, true}},
                                    {"k_proj.weight", {{10, 12}, true}},
                                    {"v_proj.weight", {{60, 12}, true}},
                                    {"g_proj.weight", {{60, 12}, true}},
                                    {"a_proj.weight", {{4, 12}, true}},
                                    {"b_proj.weight", {{4, 12}, true}},
                                    {"o_proj.weight", {{12, 60}, true}},
                                    {"q_conv1d.weight", {{10, 1, 4}, true}},
                                    {"k_conv1d.weight", {{10, 1, 4}, true}},
                                    {"v_conv1d.weight", {{60, 1, 4}, true}},
                                    {"A_log", {{4}, false}},
                                    {"dt_bias", {{4}, false}},
                                    {"o_norm.weight", {{15}, false}}});
    delta.short_conv = 0;
    CHECK(ParameterLayout(one_layer(delta)).find("backbone.layers.0.mixer.q_conv1d.weight") < 0);
    CHECK(ParameterLayout(one_layer(delta)).find("backbone.layers.0.mixer.v_proj.weight") >= 0);
    check_layout(one_layer(AttentionConfig{3, 4, Positions::rope}),
                 {{"in_proj.weight", {{36, 12}, true}}, {"out_proj.weight", {{12, 12}, true}}});
}

TEST_CASE("an MLP and an untied head add their parameters", "[model][layout]") {
    ModelConfig config = one_layer(mamba3_config());
    config.d_intermediate = 9;
    config.tie_embeddings = false;
    check_layout(config, mamba3_table(1));
}

TEST_CASE("biases of B and C freeze when their config says so, nothing else does", "[model][layout]") {
    Mamba3Config config = mamba3_config();
    for (const bool trainable : {true, false}) {
        config.bc_bias_trainable = trainable;
        const ParameterLayout layout(one_layer(config));
        for (const ParameterInfo& p : layout.parameters()) {
            const bool bias = p.name.find("_bias") != std::string::npos && p.name.find("dt_bias") == std::string::npos;
            INFO(p.name);
            CHECK(p.trainable == (trainable || !bias));
        }
    }
}

TEST_CASE("a view has the parameter's place and shape in every replica", "[model][layout]") {
    const ParameterLayout layout(one_layer(mamba3_config()));
    const Tensor buffer = activation_at(nullptr, {3, 1, 1, layout.slice()}, DType::f32, Device::cpu);
    const Tensor bias = layout.view(buffer, "backbone.layers.0.mixer.B_bias"),
                 absent = layout.view(buffer, "backbone.layers.0.mixer.A_log");
    CHECK((bias.shape == std::array<std::int64_t, 4>{3, 4, 1, 10}));
    CHECK((bias.stride == std::array<std::int64_t, 4>{layout.slice(), 10, 10, 1}));
    CHECK((absent.data == nullptr && absent.shape == Tensor{}.shape));
}
