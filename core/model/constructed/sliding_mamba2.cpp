// The same bits for Mamba-2, whose state can only shrink towards where it is pushed.
//
// One head keeps a state of two channels. A one takes a step Δ that leaves 62 % of it and pushes it towards a fixed
// point, a zero a step of nothing; so after n ones it has gone the share 1 - 0.62ⁿ of the way, and more ones never
// bring it back: "odd" for all n ≥ 1 is the best that a threshold can say. A second head says a constant, beside which
// the norm of the readout leaves the first one's size to be seen.
#include "core/model/constructed/constructed.hpp"
#include "core/model/constructed/hand_weights.hpp"
#include "core/numerics/activations.hpp"

namespace whorl {
namespace {

constexpr double kRetention = 0.62;  // of a one
constexpr double kNever = -40;
constexpr double kSignal = 1;          // what x, C and the gate say, before silu
constexpr double kAcross = 0.4;        // of B: the second channel's part
constexpr std::int64_t kOdd = 2;       // the token
constexpr std::int64_t kChannels = 2;  // of the state

/// Raw values whose silu is at hand: silu(r) = value for value ≥ 0, by Newton's rule.
double silu_inverse(double value) {
    double raw = value + 0.5;
    for (int i = 0; i < 60; ++i) {
        const double sigmoid = numerics::sigmoid(raw);
        raw -= (raw * sigmoid - value) / (sigmoid * (1 + raw * (1 - sigmoid)));
    }
    return raw;
}

ModelConfig slider_config() {
    Mamba2Config layer;
    ModelConfig config;
    config.vocab_size = 3;
    config.d_model = 5;  // the tokens' features, the state's reading, and the constant
    config.tie_embeddings = false;
    layer.headdim = config.d_model;  // expand 2: two heads
    layer.d_state = kChannels;
    config.layers = {layer};
    return config;
}

/// in_proj's rows are z [H·P], then x [H·P], B [N], C [N], which are convolved, then ddt [H].
void set_mixer(HandWeights& weights, std::int64_t headdim) {
    const std::int64_t inner = 2 * headdim, x = inner, b = x + inner, c = b + kChannels, ddt = c + kChannels;
    const char* in_proj = "in_proj.weight";
    const double passed = silu_inverse(1.0);
    for (std::int64_t h = 0; h < 2; ++h) {
        weights.answer(in_proj, h * headdim, kSignal);     // the gate
        weights.answer(in_proj, x + h * headdim, passed);  // x = 1
    }
    weights.answer(in_proj, b, passed);
    weights.answer(in_proj, b + 1, silu_inverse(kAcross));
    weights.answer(in_proj, c, passed);
    // e^{ΔA} with A = -1
    const double step = numerics::softplus_inverse(-numerics::log1p(kRetention - 1));
    weights.answer(in_proj, ddt, {kNever, kNever, step});
    weights.answer(in_proj, ddt + 1, kNever);
    weights.at(of_mixer("D"), 1) = 1;
    for (std::int64_t channel = 0; channel < inner + 2 * kChannels; ++channel)
        weights.at(of_mixer("conv1d.weight"), channel, 3) = 1;  // the token at hand
}

/// Odd when the state has gone more than half as far as one 1 takes it, compared with the constant beside it.
void set_readout(HandWeights& weights, const ModelConfig& config) {
    const double half_way = -numerics::log1p(kRetention - 1) / 2;  // Δ is what the first one writes
    weights.at(of_mixer("out_proj.weight"), 3, 0) = 1;
    weights.at(of_mixer("out_proj.weight"), 4, config.d_model) = 1;
    for (const std::int64_t token : {kOdd - 1, kOdd}) {
        const double sign = token == kOdd ? 1 : -1;
        weights.at("lm_head.weight", token, 3) = sign;
        weights.at("lm_head.weight", token, 4) = -sign * half_way;
    }
}

}  // namespace

ConstructedModel sliding_mamba2() {
    ConstructedModel model;
    model.name = "sliding-mamba2";
    model.task = "parity";
    model.description = "Mamba-2 whose state slides towards a point at each one: it cannot count";
    model.config = slider_config();
    HandWeights weights(model.config);
    set_mixer(weights, model.config.d_model);
    set_readout(weights, model.config);
    model.slice = weights.take();
    return model;
}

}  // namespace whorl
