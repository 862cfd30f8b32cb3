// Gated DeltaNet: q, k, v, gate, a, b in one product → short convolutions over q, k, v (or silu alone) → delta rule →
// norm and gate → o_proj. The parameter layout joins the six projection weights, and the three convolutions, so that
// each is one matrix here.
#include <algorithm>

#include "core/model/mixers/mixer.hpp"

namespace whorl {
namespace {

class GatedDeltaNetMixer final : public Mixer {
public:
    GatedDeltaNetMixer(const GatedDeltaNetConfig& config, MixerContext context)
        : Mixer(std::move(context)),
          config_(config),
          key_(config.num_heads * config.head_dim),
          value_(config.v_heads() * config.head_v_dim()),
          heads_(config.v_heads()),
          q_proj_(context_.index("q_proj.weight")),
          o_proj_(context_.index("o_proj.weight")),
          q_conv_(context_.find("q_conv1d.weight")),
          a_log_(context_.index("A_log")),
          dt_bias_(context_.index("dt_bias")),
          norm_(context_.index("o_norm.weight")),
          gate_{config.head_v_dim(), true, true, context_.model.norm_epsilon} {}

    void plan_kept(Arena& arena, const BatchShape& shape) override {
        projected_ = arena.activation(shape.with(projected_features()), stored());
        convolved_ = arena.activation(shape.with(mixed()), stored());
        y_ = arena.activation(shape.with(value_), stored());
        gated_ = arena.activation(shape.with(value_), stored());
        saved_ = arena.bytes(backend().gated_delta_memory(config_, y_, context_.form).saved);
    }

    void plan_work(Arena& arena, const BatchShape& shape, bool backward) override {
        scratch_ = arena.bytes(scratch_bytes(shape, backward));
        if (!backward) return;
        d_projected_ = arena.activation(projected_.shape, stored());
        d_convolved_ = arena.activation(convolved_.shape, stored());
        d_y_ = arena.activation(y_.shape, stored());
        d_gated_ = arena.activation(y_.shape, stored());
    }

    void forward(const Tensor& parameters, const Tensor& x, const Tensor& out, const MixerState* state,
                 std::int64_t) override {
        backend().linear_forward(x, projections(parameters), projected_);
        if (config_.short_conv > 0)
            backend().short_conv_forward(raw_mixed(projected_), convolutions(parameters), {},
                                         state ? state->conv : Tensor{}, convolved_, scratch_);
        else
            backend().silu_forward(raw_mixed(projected_), convolved_);
        backend().gated_delta_forward(config_, tensors(parameters, projected_, convolved_), y_,
                                      state ? state->mixer : Tensor{}, saved_, scratch_, context_.form);
        backend().gated_rms_norm_forward(gate_, y_, z(projected_), view(parameters, norm_), gated_);
        backend().linear_forward(gated_, view(parameters, o_proj_), out);
    }

    MixerPass last_pass(const Tensor& parameters) const override {
        return OperationPass<GatedDeltaTensors>{tensors(parameters, projected_, convolved_), y_};
    }

    void backward(const Tensor& parameters, const Tensor& x, const Tensor& d_out, const Tensor& d_x,
                  const Tensor& gradient) override {
        backend().linear_backward(gated_, view(parameters, o_proj_), d_out, d_gated_, view(gradient, o_proj_),
                                  scratch_);
        backend().gated_rms_norm_backward(gate_, y_, z(projected_), view(parameters, norm_), d_gated_, d_y_,
                                          z(d_projected_), view(gradient, norm_), scratch_);
        backend().gated_delta_backward(config_, tensors(parameters, projected_, convolved_), d_y_,
                                       tensors(gradient, d_projected_, d_convolved_), saved_, scratch_, context_.form);
        if (config_.short_conv > 0)
            backend().short_conv_backward(raw_mixed(projected_), convolutions(parameters), {}, d_convolved_,
                                          raw_mixed(d_projected_), convolutions(gradient), {}, scratch_);
        else
            backend().silu_backward(raw_mixed(projected_), d_convolved_, raw_mixed(d_projected_));
        backend().linear_backward(x, projections(parameters), d_projected_, d_x, projections(gradient), scratch_);
    }

    MixerState plan_state(Arena& arena, std::int64_t replicas, std::int64_t batch, std::int64_t) const override {
        MixerState state;
        state.mixer = arena.activation({replicas, batch, 1, gated_delta_state_size(config_)}, dtype());
        if (config_.short_conv > 0)
            state.conv = arena.activation({replicas, batch, config_.short_conv - 1, mixed()}, dtype());
        return state;
    }

private:
    std::int64_t mixed() const { return 2 * key_ + value_; }
    Tensor raw_mixed(const Tensor& projected) const { return projected.slice(0, mixed()); }
    std::int64_t projected_features() const { return mixed() + value_ + 2 * heads_; }

    /// q, k, v, g, a, b as one weight [R,1,features,D]; the convolutions as one [R,channels,1,width].
    Tensor projections(const Tensor& buffer) const { return widened(view(buffer, q_proj_), projected_features()); }
    Tensor convolutions(const Tensor& buffer) const {
        Tensor joined = view(buffer, q_conv_);
        joined.shape[1] = mixed();
        return joined;
    }
    static Tensor widened(Tensor first, std::int64_t rows) {
        first.shape[2] = rows;
        return first;
    }
    Tensor z(const Tensor& projected) const { return projected.slice(mixed(), value_); }
    GatedDeltaTensors tensors(const Tensor& buffer, const Tensor& projected, const Tensor& convolved) const {
        return {convolved.slice(0, key_),
                convolved.slice(key_, key_),
                convolved.slice(2 * key_, value_),
                projected.slice(mixed() + value_, heads_),
                projected.slice(mixed() + value_ + heads_, heads_),
                view(buffer, dt_bias_),
                view(buffer, a_log_)};
    }
    std::int64_t scratch_bytes(const BatchShape& shape, bool backward) const {
        const std::int64_t bytes =
            std::max(backend().gated_delta_memory(config_, y_, context_.form).scratch, conv_scratch_bytes(shape));
        if (!backward) return bytes;
        Tensor weight = widened(shape_of(q_proj_, shape.replicas), projected_features());
        return std::max({bytes, backend().gated_rms_norm_memory(y_, gate_).scratch,
                         linear_scratch(shape, context_.model.d_model, weight),
                         linear_scratch(shape, value_, shape_of(o_proj_, shape.replicas))});
    }

    std::int64_t conv_scratch_bytes(const BatchShape& shape) const {
        if (config_.short_conv == 0) return 0;
        Tensor taps = shape_of(q_conv_, shape.replicas);
        taps.shape[1] = mixed();
        return backend().short_conv_memory(convolved_, taps).scratch;
    }

    GatedDeltaNetConfig config_;
    std::int64_t key_, value_, heads_;  // features of q (and k), of v; value heads
    int q_proj_, o_proj_, q_conv_, a_log_, dt_bias_, norm_;
    GatedNormShape gate_;
    Tensor projected_, convolved_, y_, gated_, saved_, scratch_, d_projected_, d_convolved_, d_y_, d_gated_;
};

}  // namespace

std::unique_ptr<Mixer> make_mixer(const GatedDeltaNetConfig& config, MixerContext context) {
    return std::make_unique<GatedDeltaNetMixer>(config, std::move(context));
}

}  // namespace whorl
