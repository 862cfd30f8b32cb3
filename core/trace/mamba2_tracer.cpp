// Mamba-2: Δ, A → h_t = e^{ΔA} h_{t-1} + Δ B_t x_tᵀ → h C.
#include "core/numerics/discretization.hpp"
#include "core/numerics/mixer_terms.hpp"
#include "core/trace/state_math.hpp"

namespace whorl::trace {
namespace {

class Mamba2Tracer final : public LayerTracer {
public:
    Mamba2Tracer(const Mamba2Config& config, std::int64_t d_model, const LayerSelection& selection)
        : all_heads_(config.heads(d_model)),
          n_(config.d_state),
          p_(config.headdim),
          groups_(config.ngroups),
          selection_(selection),
          states_(selection.heads.size(), zeros(n_ * p_)) {}

    void step(const MixerPass& pass, std::int64_t) override {
        const auto& [in, y] = std::get<OperationPass<Mamba2Tensors>>(pass);
        for (std::size_t i = 0; i < selection_.heads.size(); ++i) {
            follow(in, selection_.heads[i], states_[i]);
            y_.put(y.at<double>() + selection_.heads[i] * p_, p_);
        }
    }

    std::vector<Series*> series() override {
        std::vector<Series*> all = {&dt_, &a_, &decay_, &b_, &c_, &x_};
        if (!selection_.channels.empty()) all.push_back(&state_);
        all.insert(all.end(), {&readout_, &y_});
        return all;
    }

    std::unique_ptr<LayerTracer> clone() const override { return std::make_unique<Mamba2Tracer>(*this); }

private:
    void follow(const Mamba2Tensors& in, std::int64_t h, Numbers& state) {
        const double dt = numerics::step_size(in.ddt.at<double>()[h], in.dt_bias.at<double>()[h]),
                     a = numerics::head_decay_rate(in.a_log.at<double>()[h]);
        const auto weights = numerics::exp_trapezoid(dt, a, 1.0);
        const std::int64_t group = h / (all_heads_ / groups_), offset = all_heads_ * p_;
        const Numbers x = part(in, h * p_, p_), b = part(in, offset + group * n_, n_),
                      c = part(in, offset + (groups_ + group) * n_, n_);
        scale(state, weights.alpha);
        add_outer_products(state, weights.gamma, b, x);
        dt_.put(dt);
        a_.put(a);
        decay_.put(weights.alpha);
        b_.put(b);
        c_.put(c);
        x_.put(x);
        put_rows(state_, state, selection_.channels, p_);
        readout_.put(read(state, c));
    }
    static Numbers part(const Mamba2Tensors& in, std::int64_t begin, std::int64_t count) {
        const double* first = in.xbc.at<double>() + begin;
        return {first, first + count};
    }
    std::vector<TraceAxis> by_head(std::vector<TraceAxis> more = {}) const {
        more.insert(more.begin(), axis("head", selection_.heads));
        return more;
    }

    std::int64_t all_heads_, n_, p_, groups_;
    LayerSelection selection_;
    std::vector<Numbers> states_;  // [N,P] a chosen head
    Series dt_{"dt", by_head()}, a_{"a", by_head()}, decay_{"decay", by_head()};
    Series b_{"b", by_head({axis("state", n_)})}, c_{"c", by_head({axis("state", n_)})};
    Series x_{"x", by_head({axis("channel", p_)})};
    Series state_{"state", by_head({axis("state", selection_.channels), axis("channel", p_)})};
    Series readout_{"readout", by_head({axis("channel", p_)})}, y_{"y", by_head({axis("channel", p_)})};
};

}  // namespace

std::unique_ptr<LayerTracer> make_tracer(const Mamba2Config& config, std::int64_t d_model,
                                         const LayerSelection& selection, std::int64_t) {
    return std::make_unique<Mamba2Tracer>(config, d_model, selection);
}

}  // namespace whorl::trace
