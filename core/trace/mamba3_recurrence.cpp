// A pair of Mamba-3, in the frame that stands still: u ← α R u + β R B₋₁ x₋₁ + γ B x, R = Rot(φ₋₁ - φ).
#include <stdexcept>

#include "core/numerics/rotation.hpp"
#include "core/trace/layer_tracer.hpp"
#include "core/trace/recurrence.hpp"

namespace whorl::trace {
namespace {

class Mamba3Recurrence final : public Recurrence {
public:
    Mamba3Recurrence(const Mamba3Config& config, const TraceLayer& layer, std::int64_t head, std::int64_t pair)
        : rank_(config.rank()),
          head_(head_index(layer, head)),
          alpha_(layer, "alpha"),
          beta_(layer, "beta"),
          gamma_(layer, "gamma"),
          b_(layer, "b"),
          c_(layer, "c"),
          x_(layer, "x") {
        if (pair < 0 || pair >= (config.d_state + 1) / 2) throw std::out_of_range("no such pair");
        channels_ = pair_channels(pair, config.d_state, config.pairing());
        phase_.assign(static_cast<std::size_t>(length()), 0.0);
        turns_ = layer.find("phase") != nullptr && pair < config.angles();
        if (!turns_) return;
        const Reading phase(layer, "phase");
        for (std::int64_t t = 0; t < length(); ++t) phase_[static_cast<std::size_t>(t)] = phase(t, head_, pair);
        if (layer.find("theta") == nullptr) return;
        // φ is wrapped: a turn by just over half a turn would look like one the other way.
        const Reading dt(layer, "dt"), theta(layer, "theta");
        for (std::int64_t t = 0; t < length(); ++t) turn_.push_back(-dt(t, head_) * theta(t, pair));
    }
    std::int64_t rows() const override { return 2; }
    std::int64_t channels() const override { return x_.extent(x_.axes() - 1); }
    std::int64_t length() const override { return alpha_.extent(0); }
    std::vector<double> phase() const override { return turns_ ? phase_ : std::vector<double>{}; }
    Plane plane(const Numbers&) const override { return {{1, 0}, {0, 1}}; }

    void advance(std::int64_t t, const Numbers& w, Numbers& state) const override {
        const std::size_t width = state.size() / 2;
        const double turn = turn_at(t);
        for (std::size_t p = 0; p < width; ++p) {
            const PlanePoint kept = turned({state[p], state[width + p]}, turn);
            state[p] = alpha_(t, head_) * kept.x;
            state[width + p] = alpha_(t, head_) * kept.y;
        }
        for (std::int64_t r = 0; r < rank_; ++r) {
            if (t > 0) add_input(turned(b_still(t - 1, r), turn), beta_(t, head_), x(t - 1, r, w), state);
            add_input(b_still(t, r), gamma_(t, head_), x(t, r, w), state);
        }
    }

    StepPieces pieces(std::int64_t t, const Numbers& w, const Plane&, const Numbers& before) const override {
        StepPieces step;
        const double alpha = alpha_(t, head_);
        step.turn = turn_at(t);
        step.retention = step.eigenvalue = alpha;
        const auto turn = numerics::sincos(step.turn);
        const double cos = alpha * turn.cos, sin = alpha * turn.sin;
        step.linear = {cos, -sin, sin, cos};
        step.kept = step.linear * PlanePoint{before[0], before[1]};
        for (std::int64_t r = 0; r < rank_; ++r) {
            if (t > 0)
                step.before = step.before + added(turned(b_still(t - 1, r), step.turn), beta_(t, head_), t - 1, r, w);
            step.now = step.now + added(b_still(t, r), gamma_(t, head_), t, r, w);
            step.read = step.read + still(c_, t, r);
        }
        return step;
    }

private:
    double turn_at(std::int64_t t) const {
        if (!turn_.empty()) return turn_[static_cast<std::size_t>(t)];
        return (t > 0 ? phase_[static_cast<std::size_t>(t - 1)] : 0.0) - phase_[static_cast<std::size_t>(t)];
    }
    double at(const Reading& of, std::int64_t t, std::int64_t r, std::int64_t i) const {
        return of.axes() == 4 ? of(t, head_, r, i) : of(t, head_, i);
    }
    /// The pair of B̄ or C̄, turned back.
    PlanePoint still(const Reading& of, std::int64_t t, std::int64_t r) const {
        const PlanePoint pair{at(of, t, r, channels_[0]), channels_.size() > 1 ? at(of, t, r, channels_[1]) : 0.0};
        return turned(pair, -phase_[static_cast<std::size_t>(t)]);
    }
    PlanePoint b_still(std::int64_t t, std::int64_t r) const { return still(b_, t, r); }
    Numbers x(std::int64_t t, std::int64_t r, const Numbers& w) const {
        return along(w, x_.axes() == 4 ? x_.row(t, head_, r) : x_.row(t, head_), channels());
    }
    PlanePoint added(PlanePoint b, double weight, std::int64_t t, std::int64_t r, const Numbers& w) const {
        const double input = weight * x(t, r, w)[0];
        return {input * b.x, input * b.y};
    }
    static void add_input(PlanePoint b, double weight, const Numbers& x, Numbers& state) {
        for (std::size_t p = 0; p < x.size(); ++p) {
            state[p] += weight * b.x * x[p];
            state[x.size() + p] += weight * b.y * x[p];
        }
    }

    std::int64_t rank_, head_;
    Reading alpha_, beta_, gamma_, b_, c_, x_;
    std::vector<std::int64_t> channels_;
    std::vector<double> phase_, turn_;
    bool turns_ = false;
};

}  // namespace

std::unique_ptr<Recurrence> make_mamba3_recurrence(const ModelConfig& config, const TraceLayer& layer,
                                                   std::int64_t head, std::int64_t pair) {
    const auto& mixer = std::get<Mamba3Config>(config.layers.at(static_cast<std::size_t>(layer.layer)));
    return std::make_unique<Mamba3Recurrence>(mixer, layer, head, pair);
}

}  // namespace whorl::trace
