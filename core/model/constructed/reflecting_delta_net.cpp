// Parity by one Gated DeltaNet layer: each one reflects the state.
//
// Along its key k, of length one, a step of the layer is  s ← e^g (1 - β) s + β v.  With β = 2 the factor is -1 (the
// whole matrix, I - 2 k kᵀ, is a reflection), with β = 0 it is 1. So let β be 2 at a one and 0 at a zero, g = 0, and
// the key and the value v the same at every token: a one makes s = 0 → 2v → 0 → 2v, and the state itself is the bit.
// Without negative eigenvalues (β < 1) the factor is never below 0, and s can only come to rest.
//
// β = 2σ(b) reaches 2 to all digits of the arithmetic, and so does the decay 1: nothing is lost from step to step.
#include "core/model/constructed/constructed.hpp"
#include "core/model/constructed/hand_weights.hpp"
#include "core/numerics/activations.hpp"
#include "core/numerics/mixer_terms.hpp"

namespace whorl {
namespace {

constexpr std::int64_t kOne = 2;  // the token
constexpr double kNever = -40, kAlways = 40;
constexpr double kKey = 30;    // so long that normalising leaves a length of 1 - 6e-10
constexpr double kSignal = 1;  // value and gate, before silu

ModelConfig parity_config() {
    GatedDeltaNetConfig layer;
    layer.num_heads = 1;
    layer.head_dim = 2;  // one channel of key and value would do; two let the reflection leave one of them alone
    layer.expand_v = 1;
    ModelConfig config;
    config.vocab_size = 3;
    config.d_model = 4;  // the tokens' features and one for the readout
    config.tie_embeddings = false;
    config.layers = {layer};
    return config;
}

/// The convolutions pass the token at hand (the last of four taps) and nothing earlier.
void set_convolutions(HandWeights& weights) {
    for (const char* name : {"q_conv1d.weight", "k_conv1d.weight", "v_conv1d.weight"})
        for (const int channel : {0, 1}) weights.at(of_mixer(name), channel, 3) = 1;
}

void set_mixer(HandWeights& weights) {
    weights.answer("q_proj.weight", 0, kKey);
    weights.answer("k_proj.weight", 0, kKey);
    weights.answer("v_proj.weight", 0, kSignal);
    weights.answer("g_proj.weight", 0, kSignal);
    weights.answer("b_proj.weight", 0, {kNever, kNever, kAlways});  // PAD, zero, one
    weights.fill(of_mixer("A_log"), kNever);                        // g = -exp(A_log) softplus(a + dt_bias) = 0
    weights.fill(of_mixer("dt_bias"), kNever);
}

/// The norm of the readout makes it (√2, 0), or 0: feature 3 becomes the bit. A one scores the bit less a half (the sum
/// of the token features, halved), a zero the opposite, PAD nothing.
void set_readout(HandWeights& weights, const ModelConfig& config) {
    const double value = numerics::silu(kSignal), o = 2 * value / numerics::sqrt(2.0);  // q has length 1/√2
    const double normed = o * numerics::inverse_rms(o * o, 2.0, config.norm_epsilon);
    weights.at(of_mixer("o_proj.weight"), 3, 0) = 1 / (normed * numerics::silu(kSignal));
    for (const std::int64_t token : {kOne - 1, kOne}) {
        const double sign = token == kOne ? 1 : -1;
        for (std::int64_t v = 0; v < config.vocab_size; ++v) weights.at("lm_head.weight", token, v) = -0.5 * sign;
        weights.at("lm_head.weight", token, 3) = sign;
    }
}

}  // namespace

ConstructedModel reflecting_delta_net() {
    ConstructedModel model;
    model.config = parity_config();
    HandWeights weights(model.config);
    set_convolutions(weights);
    set_mixer(weights);
    set_readout(weights, model.config);
    model.slice = weights.take();
    return model;
}

}  // namespace whorl
