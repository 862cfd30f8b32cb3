// Mamba-2: in_proj → short convolution (or silu alone) → recurrence → gate and norm → out_proj.
#include <algorithm>

#include "core/model/mixers/mixer.hpp"

namespace whorl {
namespace {

class Mamba2Mixer final : public Mixer {
public:
    Mamba2Mixer(const Mamba2Config& config, MixerContext context)
        : Mixer(std::move(context)),
          config_(config),
          heads_(config.heads(context_.model.d_model)),
          inner_(heads_ * config.headdim),
          mixed_(inner_ + 2 * config.ngroups * config.d_state),
          in_proj_(context_.index("in_proj.weight")),
          out_proj_(context_.index("out_proj.weight")),
          conv_weight_(context_.find("conv1d.weight")),
          conv_bias_(context_.find("conv1d.bias")),
          dt_bias_(context_.index("dt_bias")),
          a_log_(context_.index("A_log")),
          d_(context_.index("D")),
          norm_(context_.index("norm.weight")),
          gate_{inner_ / config.ngroups, false, false, context_.model.norm_epsilon} {}

    void plan_kept(Arena& arena, const BatchShape& shape) override {
        projected_ = arena.activation(shape.with(inner_ + mixed_ + heads_), stored());
        convolved_ = arena.activation(shape.with(mixed_), stored());
        y_ = arena.activation(shape.with(inner_), stored());
        gated_ = arena.activation(shape.with(inner_), stored());
        saved_ = arena.bytes(backend().mamba2_memory(config_, y_, context_.form).saved);
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
        backend().linear_forward(x, view(parameters, in_proj_), projected_);
        if (config_.short_conv > 0)
            backend().short_conv_forward(raw_mixed(projected_), view(parameters, conv_weight_),
                                         view(parameters, conv_bias_), state ? state->conv : Tensor{}, convolved_,
                                         scratch_);
        else
            backend().silu_forward(raw_mixed(projected_), convolved_);
        backend().mamba2_forward(config_, tensors(parameters, projected_, convolved_), y_,
                                 state ? state->mixer : Tensor{}, saved_, scratch_, context_.form);
        backend().gated_rms_norm_forward(gate_, y_, z(projected_), view(parameters, norm_), gated_);
        backend().linear_forward(gated_, view(parameters, out_proj_), out);
    }

    MixerPass last_pass(const Tensor& parameters) const override {
        return OperationPass<Mamba2Tensors>{tensors(parameters, projected_, convolved_), y_};
    }

    void backward(const Tensor& parameters, const Tensor& x, const Tensor& d_out, const Tensor& d_x,
                  const Tensor& gradient) override {
        backend().linear_backward(gated_, view(parameters, out_proj_), d_out, d_gated_, view(gradient, out_proj_),
                                  scratch_);
        backend().gated_rms_norm_backward(gate_, y_, z(projected_), view(parameters, norm_), d_gated_, d_y_,
                                          z(d_projected_), view(gradient, norm_), scratch_);
        backend().mamba2_backward(config_, tensors(parameters, projected_, convolved_), d_y_,
                                  tensors(gradient, d_projected_, d_convolved_), saved_, scratch_, context_.form);
        if (config_.short_conv > 0)
            backend().short_conv_backward(raw_mixed(projected_), view(parameters, conv_weight_),
                                          view(parameters, conv_bias_), d_convolved_, raw_mixed(d_projected_),
                                          view(gradient, conv_weight_), view(gradient, conv_bias_), scratch_);
        else
            backend().silu_backward(raw_mixed(projected_), d_convolved_, raw_mixed(d_projected_));
        backend().linear_backward(x, view(parameters, in_proj_), d_projected_, d_x, view(gradient, in_proj_), scratch_);
    }

    MixerState plan_state(Arena& arena, std::int64_t replicas, std::int64_t batch, std::int64_t) const override {
        MixerState state;
        state.mixer = arena.activation({replicas, batch, 1, mamba2_state_size(config_, heads_)}, dtype());
        if (config_.short_conv > 0)
            state.conv = arena.activation({replicas, batch, config_.short_conv - 1, mixed_}, dtype());
        return state;
    }

private:
    Tensor z(const Tensor& projected) const { return projected.slice(0, inner_); }
    Tensor raw_mixed(const Tensor& projected) const { return projected.slice(inner_, mixed_); }
    Mamba2Tensors tensors(const Tensor& buffer, const Tensor& projected, const Tensor& convolved) const {
        return {convolved, projected.slice(inner_ + mixed_, heads_), view(buffer, dt_bias_), view(buffer, d_),
                view(buffer, a_log_)};
    }
    std::int64_t scratch_bytes(const BatchShape& shape, bool backward) const {
        const std::int64_t bytes =
            std::max(backend().mamba2_memory(config_, y_, context_.form).scratch, conv_scratch_bytes(shape));
        if (!backward) return bytes;
        return std::max({bytes, backend().gated_rms_norm_memory(y_, gate_).scratch,
                         linear_scratch(shape, context_.model.d_model, shape_of(in_proj_, shape.replicas)),
                         linear_scratch(shape, inner_, shape_of(out_proj_, shape.replicas))});
    }

    std::int64_t conv_scratch_bytes(const BatchShape& shape) const {
        if (config_.short_conv == 0) return 0;
        return backend().short_conv_memory(convolved_, shape_of(conv_weight_, shape.replicas)).scratch;
    }

    Mamba2Config config_;
    std::int64_t heads_, inner_, mixed_;  // mixed: channels of x, B and C
    int in_proj_, out_proj_, conv_weight_, conv_bias_, dt_bias_, a_log_, d_, norm_;
    GatedNormShape gate_;
    Tensor projected_, convolved_, y_, gated_, saved_, scratch_, d_projected_, d_convolved_, d_y_, d_gated_;
};

}  // namespace

std::unique_ptr<Mixer> make_mixer(const Mamba2Config& config, MixerContext context) {
    return std::make_unique<Mamba2Mixer>(config, std::move(context));
}

}  // namespace whorl
