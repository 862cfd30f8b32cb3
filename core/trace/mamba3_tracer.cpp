// Mamba-3: raw projection → Δ, A, λ, θ, φ → B̄, C̄ → h_t = α h_{t-1} + β B̄_{t-1} x_{t-1}ᵀ + γ B̄_t x_tᵀ → h C̄.
#include <utility>

#include "core/numerics/discretization.hpp"
#include "core/numerics/mixer_terms.hpp"
#include "core/numerics/rotation.hpp"
#include "core/trace/layer_tracer.hpp"
#include "core/trace/state_math.hpp"

namespace whorl::trace {
namespace {

/// Δ, A, λ of one head at one token.
struct Rates {
    double dt, a, lambda;
};

/// What one head carries from token to token.
struct Head {
    std::int64_t index;
    Numbers sin, cos, phase;  // [S]
    Numbers state;            // [N,P], in the frame that turns
    Numbers b, x;             // [rank,N], [rank,P] of the last token
};

class Mamba3Tracer final : public LayerTracer {
public:
    Mamba3Tracer(const Mamba3Config& config, std::int64_t d_model, const LayerSelection& selection)
        : config_(config),
          all_heads_(config.heads(d_model)),
          n_(config.d_state),
          p_(config.headdim),
          rank_(config.rank()),
          angles_(config.rotation == Rotation::none ? 0 : config.angles()),
          selection_(selection) {
        for (const std::int64_t h : selection.heads)
            heads_.push_back({h, zeros(angles_), zeros(angles_), zeros(angles_), zeros(n_ * p_), zeros(rank_ * n_),
                              zeros(rank_ * p_)});
    }

    void step(const MixerPass& pass, std::int64_t position) override {
        const auto& [in, y] = std::get<OperationPass<Mamba3Tensors>>(pass);
        if (data_dependent())
            for (std::int64_t j = 0; j < angles_; ++j) theta_.put(theta(in, j));
        for (Head& head : heads_) {
            follow(in, head, position);
            y_.put(y.at<double>() + head.index * p_, p_);
        }
    }

    std::vector<Series*> series() override {
        std::vector<Series*> all = {&dt_, &a_, &alpha_, &beta_, &gamma_, &lambda_};
        if (data_dependent()) all.push_back(&theta_);
        if (angles_ > 0) all.push_back(&phase_);
        all.insert(all.end(), {&b_, &c_, &x_});
        if (!selection_.channels.empty()) all.push_back(&state_);
        if (!selection_.channels.empty() && angles_ > 0) all.push_back(&still_state_);
        all.insert(all.end(), {&readout_, &y_});
        return all;
    }

    std::unique_ptr<LayerTracer> clone() const override { return std::make_unique<Mamba3Tracer>(*this); }

private:
    bool data_dependent() const { return config_.rotation == Rotation::data_dependent; }
    static double theta(const Mamba3Tensors& in, std::int64_t j) {
        return numerics::angular_velocity(in.angle.at<double>()[j]);
    }

    void follow(const Mamba3Tensors& in, Head& head, std::int64_t position) {
        const Rates rates = rates_of(in, head.index);
        const auto weights = numerics::exp_trapezoid(rates.dt, rates.a, rates.lambda);
        advance_phase(in, head, rates.dt, position);
        const std::int64_t bc = all_heads_ * p_, rows = rank_ * config_.ngroups * n_;
        const Numbers b_before = std::exchange(head.b, turned(in, head, bc, in.b_norm, in.b_bias)),
                      x_before = std::exchange(head.x, inputs(in, head.index)),
                      c = turned(in, head, bc + rows, in.c_norm, in.c_bias);
        scale(head.state, weights.alpha);
        add_outer_products(head.state, weights.beta, b_before, x_before, rank_);
        add_outer_products(head.state, weights.gamma, head.b, head.x, rank_);
        put_rates(rates, weights);
        phase_.put(head.phase);
        b_.put(head.b);
        c_.put(c);
        x_.put(head.x);
        put_state(head);
        readout_.put(read(head.state, c, rank_));
    }

    Rates rates_of(const Mamba3Tensors& in, std::int64_t h) const {
        Rates rates{};
        rates.dt = numerics::step_size(in.ddt.at<double>()[h], in.dt_bias.at<double>()[h]);
        rates.a = in.a_log
                      ? numerics::head_decay_rate(in.a_log.at<double>()[h])
                      : numerics::data_decay_rate(in.da.at<double>()[h],
                                                  config_.a_activation == AActivation::heavy_tail, config_.a_floor);
        rates.lambda = config_.discretization == Discretization::trapezoidal ? numerics::sigmoid(in.u.at<double>()[h])
                       : config_.discretization == Discretization::euler     ? 1.0
                                                                             : 0.5;
        return rates;
    }

    void advance_phase(const Mamba3Tensors& in, Head& head, double dt, std::int64_t position) const {
        for (std::int64_t j = 0; j < angles_; ++j) {
            const auto i = static_cast<std::size_t>(j);
            head.phase[i] = data_dependent() ? numerics::advance_phase(head.phase[i], theta(in, j), dt)
                                             : numerics::rope_angle<double>(position, j, angles_);
            const auto turn = numerics::sincos(head.phase[i]);
            head.sin[i] = turn.sin;
            head.cos[i] = turn.cos;
        }
    }

    /// B̄ or C̄ [rank,N]: the rows of the head's group, which begin `offset` into x, B, C, normed, biased and turned.
    Numbers turned(const Mamba3Tensors& in, const Head& head, std::int64_t offset, const Tensor& norm,
                   const Tensor& bias) const {
        const std::int64_t group = head.index / (all_heads_ / config_.ngroups);
        Numbers all;
        for (std::int64_t r = 0; r < rank_; ++r) {
            const double* raw = in.xbc.at<double>() + offset + (r * config_.ngroups + group) * n_;
            Numbers row(raw, raw + n_);
            if (norm) {
                scale(row, numerics::inverse_rms(sum_of_squares(row), static_cast<double>(n_), in.epsilon));
                multiply(row, norm.at<double>());
            }
            if (bias) add(row, bias.at<double>(0, head.index, r));
            turn_pairs(row, 1, head, false);
            all.insert(all.end(), row.begin(), row.end());
        }
        return all;
    }

    /// x_r [rank,P].
    Numbers inputs(const Mamba3Tensors& in, std::int64_t h) const {
        const double* raw = in.xbc.at<double>() + h * p_;
        Numbers all;
        for (std::int64_t r = 0; r < rank_; ++r) {
            Numbers row(raw, raw + p_);
            if (in.mimo_x) multiply(row, in.mimo_x.at<double>(0, h, r));
            all.insert(all.end(), row.begin(), row.end());
        }
        return all;
    }

    /// Turns each pair of the rows of `values` [N,width] by the head's phase, or back.
    void turn_pairs(Numbers& values, std::int64_t width, const Head& head, bool back) const {
        for (std::int64_t j = 0; j < angles_; ++j) {
            const auto pair = pair_channels(j, n_, config_.pairing());
            const double cos = head.cos[static_cast<std::size_t>(j)], sin = head.sin[static_cast<std::size_t>(j)];
            for (std::int64_t p = 0; p < width; ++p) {
                double &first = values[static_cast<std::size_t>(pair[0] * width + p)],
                       &second = values[static_cast<std::size_t>(pair[1] * width + p)];
                const numerics::Pair<double> before{first, second},
                    after = back ? numerics::rotate_back(before, cos, sin) : numerics::rotate(before, cos, sin);
                first = after.x;
                second = after.y;
            }
        }
    }

    void put_rates(const Rates& rates, const numerics::Coefficients<double>& weights) {
        dt_.put(rates.dt);
        a_.put(rates.a);
        alpha_.put(weights.alpha);
        beta_.put(weights.beta);
        gamma_.put(weights.gamma);
        lambda_.put(rates.lambda);
    }
    void put_state(const Head& head) {
        if (selection_.channels.empty()) return;
        put_rows(state_, head.state, selection_.channels, p_);
        if (angles_ == 0) return;
        Numbers still = head.state;
        turn_pairs(still, p_, head, true);
        put_rows(still_state_, still, selection_.channels, p_);
    }

    std::vector<TraceAxis> by_head(std::vector<TraceAxis> more = {}) const {
        more.insert(more.begin(), axis("head", selection_.heads));
        return more;
    }
    std::vector<TraceAxis> by_rank(const char* last, std::int64_t count) const {
        std::vector<TraceAxis> axes = {axis("head", selection_.heads), axis("rank", rank_), axis(last, count)};
        if (!config_.mimo) axes.erase(axes.begin() + 1);
        return axes;
    }
    std::vector<TraceAxis> by_channel() const {
        return by_head({axis("state", selection_.channels), axis("channel", p_)});
    }

    Mamba3Config config_;
    std::int64_t all_heads_, n_, p_, rank_, angles_;
    LayerSelection selection_;
    std::vector<Head> heads_;
    Series dt_{"dt", by_head()}, a_{"a", by_head()}, alpha_{"alpha", by_head()}, beta_{"beta", by_head()},
        gamma_{"gamma", by_head()}, lambda_{"lambda", by_head()};
    Series theta_{"theta", {axis("angle", angles_)}}, phase_{"phase", by_head({axis("angle", angles_)})};
    Series b_{"b", by_rank("state", n_)}, c_{"c", by_rank("state", n_)}, x_{"x", by_rank("channel", p_)};
    Series state_{"state", by_channel()}, still_state_{"still_state", by_channel()};
    Series readout_{"readout", by_rank("channel", p_)}, y_{"y", by_head({axis("channel", p_)})};
};

}  // namespace

std::unique_ptr<LayerTracer> make_tracer(const Mamba3Config& config, std::int64_t d_model,
                                         const LayerSelection& selection, std::int64_t) {
    return std::make_unique<Mamba3Tracer>(config, d_model, selection);
}

}  // namespace whorl::trace
