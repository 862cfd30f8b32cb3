// Gated DeltaNet: S_t = e^g (I - β k kᵀ) S_{t-1} + β k vᵀ → Sᵀ q, with q and k normalised.
#include "core/numerics/mixer_terms.hpp"
#include "core/trace/state_math.hpp"

namespace whorl::trace {
namespace {

class GatedDeltaTracer final : public LayerTracer {
public:
    GatedDeltaTracer(const GatedDeltaNetConfig& config, const LayerSelection& selection)
        : config_(config),
          k_(config.head_dim),
          v_(config.head_v_dim()),
          selection_(selection),
          states_(selection.heads.size(), zeros(k_ * v_)) {}

    void step(const MixerPass& pass, std::int64_t) override {
        const auto& [in, y] = std::get<OperationPass<GatedDeltaTensors>>(pass);
        for (std::size_t i = 0; i < selection_.heads.size(); ++i) {
            follow(in, selection_.heads[i], states_[i]);
            y_.put(y.at<double>() + selection_.heads[i] * v_, v_);
        }
    }

    std::vector<Series*> series() override {
        std::vector<Series*> all = {&decay_, &beta_, &eigenvalue_, &key_, &query_, &value_};
        if (!selection_.channels.empty()) all.push_back(&state_);
        all.insert(all.end(), {&readout_, &y_});
        return all;
    }

    std::unique_ptr<LayerTracer> clone() const override { return std::make_unique<GatedDeltaTracer>(*this); }

private:
    void follow(const GatedDeltaTensors& in, std::int64_t h, Numbers& state) {
        const double rate = numerics::head_decay_rate(in.a_log.at<double>()[h]),
                     dt = numerics::step_size(in.a.at<double>()[h], in.dt_bias.at<double>()[h]),
                     decay = numerics::exp(rate * dt),
                     beta = numerics::write_strength(in.b.at<double>()[h], config_.allow_neg_eigval);
        const Numbers key = unit(in.k, h, 1), query = unit(in.q, h, 1 / numerics::sqrt(static_cast<double>(k_))),
                      value = part(in.v, h * v_, v_);
        scale(state, decay);
        Numbers missing = read(state, key);  // v less what the key already holds
        for (std::size_t i = 0; i < missing.size(); ++i) missing[i] = value[i] - missing[i];
        add_outer_products(state, beta, key, missing);
        decay_.put(decay);
        beta_.put(beta);
        eigenvalue_.put(numerics::key_eigenvalue(decay, beta, sum_of_squares(key)));
        key_.put(key);
        query_.put(query);
        value_.put(value);
        put_rows(state_, state, selection_.channels, v_);
        readout_.put(read(state, query));
    }
    static Numbers part(const Tensor& of, std::int64_t begin, std::int64_t count) {
        const double* first = of.at<double>() + begin;
        return {first, first + count};
    }
    /// The query or key of value head h, brought to `length`.
    Numbers unit(const Tensor& of, std::int64_t h, double length) const {
        const std::int64_t head = h * config_.num_heads / config_.v_heads();
        Numbers row = part(of, head * k_, k_);
        scale(row, length * numerics::inverse_length(sum_of_squares(row)));
        return row;
    }
    std::vector<TraceAxis> by_head(std::vector<TraceAxis> more = {}) const {
        more.insert(more.begin(), axis("head", selection_.heads));
        return more;
    }

    GatedDeltaNetConfig config_;
    std::int64_t k_, v_;
    LayerSelection selection_;
    std::vector<Numbers> states_;  // [K,V] a chosen head
    Series decay_{"decay", by_head()}, beta_{"beta", by_head()}, eigenvalue_{"eigenvalue", by_head()};
    Series key_{"key", by_head({axis("key", k_)})}, query_{"query", by_head({axis("key", k_)})};
    Series value_{"value", by_head({axis("channel", v_)})};
    Series state_{"state", by_head({axis("key", selection_.channels), axis("channel", v_)})};
    Series readout_{"readout", by_head({axis("channel", v_)})}, y_{"y", by_head({axis("channel", v_)})};
};

}  // namespace

std::unique_ptr<LayerTracer> make_tracer(const GatedDeltaNetConfig& config, std::int64_t,
                                         const LayerSelection& selection, std::int64_t) {
    return std::make_unique<GatedDeltaTracer>(config, selection);
}

}  // namespace whorl::trace
