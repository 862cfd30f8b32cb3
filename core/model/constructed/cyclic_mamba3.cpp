// A sum mod m by one Mamba-3 layer: the state is a point of the plane that turns by 2πd/m at the digit d.
//
// Seen as a complex number, one step of the layer is  u ← α R_d u + c_d  with R_d = e^{2πi d/m}, α = e^{ΔA} the decay
// and c_d = γ B x whatever the layer adds. A state begins at u = 0, which turning leaves where it is. But choose
//
//     c_d = α R_d - 1
//
// and v = u + 1 obeys  v ← α R_d v,  v = 1 at the start: the sum so far is the angle of v. In other words the state
// walks on a circle through the origin with its centre at -1, from where it began. For parity (m = 2) and no decay, a
// zero adds nothing and a one makes 0 → -2 → 0 → -2: the state itself is the bit.
//
// Decay. A cannot reach 0 (its floor is 1e-4), so a digit that turns costs e^{-1e-4 Δ} of |v|, which leaves its angle
// as it is: after 4096 digits |v| is still above 0.59. A zero takes a step Δ that rounds to no decay at all. What ends
// the counting is that |v| shrinks towards the rounding of u: in float32, sizes of 65536 are still answered without a
// mistake, 131072 (sums mod 5) and 262144 (parity) are not.
//
// Angle. θ = π tanh(a) stays below half a turn per unit of Δ, so half a turn needs Δ > 1. With Δ = 5/4 it is
// tanh(a) = 4/5.
#include <cmath>
#include <complex>

#include "core/model/constructed/constructed.hpp"
#include "core/model/constructed/hand_weights.hpp"
#include "core/numerics/discretization.hpp"
#include "core/numerics/mixer_terms.hpp"
#include "core/numerics/rotation.hpp"

namespace whorl {
namespace {

constexpr double kStep = 1.25;  // Δ of a digit that turns
constexpr double kNever = -40;  // softplus and σ of it are nothing
constexpr double kAlways = 40;  // σ of it is 1, to all digits
constexpr double kGate = 1;     // what the gate z is, for every token
constexpr double kTurn = 2 * numerics::pi<double>;

/// Everything the layer says at one token.
struct Table {
    double step = kNever;  // raw: Δ = softplus(step)
    double angle = 0;      // raw: θ = π tanh(angle)
    double b[2] = {0, 0};  // raw B, a direction
    double x = 0;          // how far to go in that direction
};

ModelConfig config_of(std::int64_t modulus) {
    Mamba3Config layer;
    ModelConfig config;
    config.vocab_size = modulus + 1;
    config.d_model = config.vocab_size + 2;  // and two features: the readout's cosine and sine
    config.tie_embeddings = false;
    layer.headdim = config.d_model;  // expand 2: two heads, of which one reads the cosine and one the sine
    layer.d_state = 2;               // one pair of channels: one complex number
    config.layers = {layer};
    return config;
}

/// Turning by `turn` radians, and what must be added.
Table turning(double turn, const ModelConfig& config) {
    const auto& layer = std::get<Mamba3Config>(config.layers.front());
    const auto rule = numerics::exp_trapezoid(kStep, -layer.a_floor, 1.0);
    const auto turned = numerics::sincos(turn);
    const std::complex<double> added{rule.alpha * turned.cos - 1, rule.alpha * turned.sin};
    const double size = std::sqrt(std::norm(added));
    const std::complex<double> direction = added / size;
    // B is normed: a unit vector comes out with this length.
    const double length = numerics::inverse_rms(1.0, 2.0, config.norm_epsilon);
    Table table;
    table.step = numerics::softplus_inverse(kStep);
    const double share = -turn / (numerics::pi<double> * kStep);  // the state turns by -Δθ, θ = π tanh(angle)
    table.angle = 0.5 * numerics::log1p(2 * share / (1 - share));
    table.b[0] = direction.real();
    table.b[1] = direction.imag();
    table.x = size / (rule.gamma * length);
    return table;
}

/// Digit d of m by the shorter way round; a digit 0, and PAD, do nothing.
std::vector<Table> tables_of(std::int64_t modulus, const ModelConfig& config) {
    std::vector<Table> tables(static_cast<std::size_t>(config.vocab_size));
    for (std::int64_t d = 1; d < modulus; ++d) {
        const double share = static_cast<double>(d) / static_cast<double>(modulus);
        tables[static_cast<std::size_t>(1 + d)] = turning(kTurn * (share > 0.5 ? share - 1 : share), config);
    }
    return tables;
}

template <class Read>
std::vector<double> column(const std::vector<Table>& tables, const Read& read) {
    std::vector<double> values;
    for (const Table& table : tables) values.push_back(read(table));
    return values;
}

/// in_proj's rows are z [H·P], x [H·P], B [N], C [N], ddt [H], dA [H], u [H], a [S]. Only channel 0 of each head is
/// used.
void set_mixer(HandWeights& weights, const std::vector<Table>& tables, const ModelConfig& config) {
    const std::int64_t heads = 2, headdim = config.d_model, inner = heads * headdim, b = 2 * inner, ddt = b + 4;
    const char* in_proj = "in_proj.weight";
    for (std::int64_t h = 0; h < heads; ++h) {
        weights.answer(in_proj, h * headdim, kGate);
        weights.answer(in_proj, inner + h * headdim, column(tables, [](const Table& t) { return t.x; }));
        weights.answer(in_proj, ddt + h, column(tables, [](const Table& t) { return t.step; }));
        weights.answer(in_proj, ddt + heads + h, kNever);       // A = -floor
        weights.answer(in_proj, ddt + 2 * heads + h, kAlways);  // λ = 1: no part of the input a step late
        weights.at(of_mixer("C_bias"), h, h) = 1;               // head 0 reads the first channel, head 1 the second
    }
    for (const int n : {0, 1}) weights.answer(in_proj, b + n, column(tables, [n](const Table& t) { return t.b[n]; }));
    weights.answer(in_proj, ddt + 3 * heads, column(tables, [](const Table& t) { return t.angle; }));
}

/// Head h's reading of u becomes feature vocab_size + h, whatever the gate did to it. Digit k then scores the part of
/// v = u + 1 along e^{2πi k/m}; the 1 is the sum of the token features. PAD scores 0, less than the best digit.
void set_readout(HandWeights& weights, std::int64_t modulus, const ModelConfig& config) {
    const std::int64_t first = config.vocab_size;
    for (const int h : {0, 1})
        weights.at(of_mixer("out_proj.weight"), first + h, h * config.d_model) = 1 / numerics::silu(kGate);
    for (std::int64_t k = 0; k < modulus; ++k) {
        const auto turn = numerics::sincos(kTurn * static_cast<double>(k) / static_cast<double>(modulus));
        for (std::int64_t v = 0; v < config.vocab_size; ++v) weights.at("lm_head.weight", 1 + k, v) = turn.cos;
        weights.at("lm_head.weight", 1 + k, first) = turn.cos;
        weights.at("lm_head.weight", 1 + k, first + 1) = turn.sin;
    }
}

}  // namespace

ConstructedModel cyclic_mamba3(std::int64_t modulus) {
    ConstructedModel model;
    model.config = config_of(modulus);
    HandWeights weights(model.config);
    set_mixer(weights, tables_of(modulus, model.config), model.config);
    set_readout(weights, modulus, model.config);
    model.slice = weights.take();
    return model;
}

}  // namespace whorl
