// What initialize draws: bounds, spread, step sizes, and what the numbers depend on.
#include <algorithm>
#include <cmath>

#include "core/model/parameter_layout.hpp"
#include "core/numerics/activations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/model_run.hpp"

using namespace whorl;
using namespace whorl::test;

namespace {

class Drawn {
public:
    explicit Drawn(const ModelConfig& config, const ReplicaInit& replica = {1})
        : layout(config), slice(static_cast<std::size_t>(layout.slice())) {
        initialize(layout, replica, slice.data());
    }
    std::vector<double> operator[](const std::string& name) const {
        const ParameterInfo& p = layout.parameters()[static_cast<std::size_t>(layout.index(name))];
        return {slice.begin() + p.offset, slice.begin() + p.offset + p.count};
    }
    std::vector<double> mixer(const std::string& name) const { return (*this)["backbone.layers.0.mixer." + name]; }
    ParameterLayout layout;
    std::vector<double> slice;
};

double deviation(const std::vector<double>& values) {
    double mean = 0, square = 0;
    for (const double x : values) mean += x / static_cast<double>(values.size());
    for (const double x : values) square += (x - mean) * (x - mean) / static_cast<double>(values.size());
    return std::sqrt(square);
}

/// Five standard errors of a standard deviation of n draws, relative: 5 / sqrt(2n), less for bounded distributions.
double spread(const std::vector<double>& values) {
    return 5 / std::sqrt(2.0 * static_cast<double>(values.size()));
}

void check_uniform(const std::vector<double>& values, double bound) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    CHECK((*low >= -bound && *high <= bound));
    CHECK((*low<-0.9 * bound&& * high> 0.9 * bound));
    CHECK(deviation(values) == Approx(bound / std::sqrt(3.0)).epsilon(spread(values)));
}
void check_normal(const std::vector<double>& values, double expected) {
    CHECK(deviation(values) == Approx(expected).epsilon(spread(values)));
}
void check_constant(const std::vector<double>& values, double expected) {
    CHECK(std::all_of(values.begin(), values.end(), [&](double x) { return x == expected; }));
}
/// softplus of each is in [low, high]; both thirds at the ends are met on a log scale.
void check_step_size(const std::vector<double>& values, double low, double high) {
    std::vector<double> steps;
    for (const double x : values) steps.push_back(std::log1p(std::exp(x)));
    const auto [first, last] = std::minmax_element(steps.begin(), steps.end());
    CHECK((*first >= low * (1 - 1e-9) && *last <= high * (1 + 1e-9)));  // softplus after its inverse
    CHECK((*first <= low * std::cbrt(high / low) && *last >= high / std::cbrt(high / low)));
}

ModelConfig wide(const MixerConfig& mixer, std::int64_t n_layer = 4) {
    ModelConfig config;
    config.d_model = 64;
    config.n_layer = n_layer;
    config.vocab_size = 50;
    config.d_intermediate = 40;
    config.tie_embeddings = false;
    config.layers.assign(static_cast<std::size_t>(n_layer), mixer);
    return config;
}

Mamba3Config mamba3_config() {
    Mamba3Config config;
    config.headdim = 4;
    config.d_state = 16;
    return config;
}

}  // namespace

TEST_CASE("projections are uniform in their fan-in, closing ones divided by the root of the depth", "[model][init]") {
    const Drawn drawn(wide(mamba3_config()));
    check_normal(drawn["backbone.embedding.weight"], 0.02);
    check_uniform(drawn["lm_head.weight"], 1 / std::sqrt(64.0));
    check_uniform(drawn.mixer("in_proj.weight"), 1 / std::sqrt(64.0));
    check_uniform(drawn.mixer("out_proj.weight"), 1 / std::sqrt(128.0) / 2);
    check_uniform(drawn["backbone.layers.0.mlp.fc1.weight"], 1 / std::sqrt(64.0));
    check_uniform(drawn["backbone.layers.0.mlp.fc2.weight"], 1 / std::sqrt(40.0) / 2);
    for (const char* name :
         {"backbone.norm_f.weight", "backbone.layers.0.norm.weight", "backbone.layers.3.norm2.weight"})
        check_constant(drawn[name], 1);
}

TEST_CASE("mamba3 starts with its biases, norms and skips at one and step sizes in their range", "[model][init]") {
    Mamba3Config config = mamba3_config();
    config.mimo = true;
    config.mimo_rank = 4;
    config.short_conv = 4;
    config.outproj_norm = OutprojNorm::pre_gate;
    config.a_source = ASource::per_head;
    Drawn drawn(wide(config));
    for (const char* name : {"B_bias", "C_bias", "B_norm.weight", "C_norm.weight", "D", "norm.weight", "mimo_z"})
        check_constant(drawn.mixer(name), 1);
    for (const char* name : {"mimo_x", "mimo_o"}) check_constant(drawn.mixer(name), 0.25);
    check_uniform(drawn.mixer("conv1d.weight"), 0.5);
    check_uniform(drawn.mixer("conv1d.bias"), 0.5);
    check_step_size(drawn.mixer("dt_bias"), 1e-3, 0.1);
    config.bc_bias_init = 0.25;
    config.dt_init = {1e-5, 1e-3, 1e-4};
    drawn = Drawn(wide(config));
    check_constant(drawn.mixer("B_bias"), 0.25);
    check_step_size(drawn.mixer("dt_bias"), 1e-4, 1e-3);  // floored
    check_step_size(Drawn(wide(mamba3_config()), {1, 0.01, 0.02}).mixer("dt_bias"), 0.01,
                    0.02);  // the replica's own range
}

TEST_CASE("decay rates of mamba2 and gated delta net are the logarithm of a uniform draw", "[model][init]") {
    Mamba2Config two;
    two.headdim = 4;
    two.d_state = 8;
    const auto rates = [](std::vector<double> logs) {
        for (double& x : logs) x = std::exp(x);
        return std::pair{*std::min_element(logs.begin(), logs.end()), *std::max_element(logs.begin(), logs.end())};
    };
    const auto [low, high] = rates(Drawn(wide(two)).mixer("A_log"));
    CHECK((low >= 1 && low < 4 && high > 13 && high <= 16));
    GatedDeltaNetConfig delta;
    delta.num_heads = 32;
    delta.head_dim = 4;
    const Drawn drawn(wide(delta));
    const auto [least, most] = rates(drawn.mixer("A_log"));
    CHECK((least > 0 && least < 3 && most > 13 && most <= 16));
    check_step_size(drawn.mixer("dt_bias"), 1e-3, 0.1);
    check_uniform(drawn.mixer("q_conv1d.weight"), 0.5);
    check_uniform(drawn.mixer("o_proj.weight"), 1 / std::sqrt(256.0) / 2);
    ModelConfig fla = wide(delta);
    fla.init = Initialization::fla;
    for (const char* name : {"q_proj.weight", "k_conv1d.weight", "o_proj.weight"})
        check_normal(Drawn(fla).mixer(name), 0.02);
}

TEST_CASE("initializer_range is the deviation of what is drawn from a normal distribution", "[model][init]") {
    ModelConfig config = wide(mamba3_config());
    config.initializer_range = 0.5;
    const Drawn drawn(config), usual(wide(mamba3_config()));
    check_normal(drawn["backbone.embedding.weight"], 0.5);
    CHECK(drawn.mixer("in_proj.weight") == usual.mixer("in_proj.weight"));
    config.init = Initialization::fla;
    const Drawn fla(config);
    for (const char* name : {"in_proj.weight", "out_proj.weight"}) check_normal(fla.mixer(name), 0.5);
    check_normal(fla["lm_head.weight"], 0.5);
}

TEST_CASE("initial numbers depend on the seed and the place, and on nothing else", "[model][init]") {
    const Drawn one(wide(mamba3_config())), again(wide(mamba3_config())), other(wide(mamba3_config()), {2});
    CHECK((one.slice == again.slice));
    const auto a = one.mixer("in_proj.weight"), b = other.mixer("in_proj.weight"),
               c = one["backbone.layers.1.mixer.in_proj.weight"];
    double products = 0, squares = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        products += a[i] * b[i] + a[i] * c[i];
        squares += a[i] * a[i];
    }
    CHECK(std::abs(products / squares) <
          10 / std::sqrt(static_cast<double>(a.size())));  // uncorrelated between seeds and layers
    ModelConfig longer = wide(mamba3_config());
    longer.vocab_size = 60;  // more rows behind the first ones
    const auto more = Drawn(longer)["backbone.embedding.weight"], less = one["backbone.embedding.weight"];
    CHECK(std::equal(less.begin(), less.end(), more.begin()));
}
