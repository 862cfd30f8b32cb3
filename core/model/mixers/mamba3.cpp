// Mamba-3: in_proj → [short convolution] → recurrence with gate → out_proj.
#include <algorithm>

#include "core/model/mixers/mixer.hpp"

namespace whorl {
namespace {

class Mamba3Mixer final : public Mixer {
public:
    Mamba3Mixer(const Mamba3Config& config, MixerContext context)
        : Mixer(std::move(context)),
          config_(config),
          heads_(config.heads(context_.model.d_model)),
          inner_(heads_ * config.headdim),
          mixed_(inner_ + 2 * config.rank() * config.ngroups * config.d_state),
          in_proj_(context_.index("in_proj.weight")),
          out_proj_(context_.index("out_proj.weight")),
          conv_weight_(context_.find("conv1d.weight")),
          conv_bias_(context_.find("conv1d.bias")) {
        const char* names[] = {"dt_bias",       "D",      "A_log",  "B_bias", "C_bias",     "B_norm.weight",
                               "C_norm.weight", "mimo_x", "mimo_z", "mimo_o", "norm.weight"};
        std::transform(std::begin(names), std::end(names), small_,
                       [&](const char* name) { return context_.find(name); });
    }

    void plan_kept(Arena& arena, const BatchShape& shape) override {
        projected_ = arena.activation(shape.with(inner_ + mixed_ + 3 * heads_ + config_.angles()), stored());
        if (config_.short_conv > 0) convolved_ = arena.activation(shape.with(mixed_), stored());
        y_ = arena.activation(shape.with(inner_), stored());
        saved_ = arena.bytes(backend().mamba3_memory(config_, y_, context_.form).saved);
    }

    void plan_work(Arena& arena, const BatchShape& shape, bool backward) override {
        scratch_ = arena.bytes(scratch_bytes(shape, backward));
        if (!backward) return;
        d_projected_ = arena.activation(projected_.shape, stored());
        if (config_.short_conv > 0) d_convolved_ = arena.activation(convolved_.shape, stored());
        d_y_ = arena.activation(y_.shape, stored());
    }

    void forward(const Tensor& parameters, const Tensor& x, const Tensor& out, const MixerState* state,
                 std::int64_t position) override {
        backend().linear_forward(x, view(parameters, in_proj_), projected_);
        if (config_.short_conv > 0)
            backend().short_conv_forward(raw_mixed(projected_), view(parameters, conv_weight_),
                                         view(parameters, conv_bias_), state ? state->conv : Tensor{}, convolved_,
                                         scratch_);
        backend().mamba3_forward(config_, tensors(parameters, projected_, convolved_), y_,
                                 state ? state->mixer : Tensor{}, position, saved_, scratch_, context_.form);
        backend().linear_forward(y_, view(parameters, out_proj_), out);
    }

    MixerPass last_pass(const Tensor& parameters) const override {
        return OperationPass<Mamba3Tensors>{tensors(parameters, projected_, convolved_), y_};
    }

    void backward(const Tensor& parameters, const Tensor& x, const Tensor& d_out, const Tensor& d_x,
                  const Tensor& gradient) override {
        backend().linear_backward(y_, view(parameters, out_proj_), d_out, d_y_, view(gradient, out_proj_), scratch_);
        backend().mamba3_backward(config_, tensors(parameters, projected_, convolved_), d_y_,
                                  tensors(gradient, d_projected_, d_convolved_), saved_, scratch_, context_.form);
        if (config_.short_conv > 0)
            backend().short_conv_backward(raw_mixed(projected_), view(parameters, conv_weight_),
                                          view(parameters, conv_bias_), d_convolved_, raw_mixed(d_projected_),
                                          view(gradient, conv_weight_), view(gradient, conv_bias_), scratch_);
        backend().linear_backward(x, view(parameters, in_proj_), d_projected_, d_x, view(gradient, in_proj_), scratch_);
    }

    MixerState plan_state(Arena& arena, std::int64_t replicas, std::int64_t batch, std::int64_t) const override {
        MixerState state;
        state.mixer = arena.activation({replicas, batch, 1, mamba3_state_size(config_, heads_)}, dtype());
        if (config_.short_conv > 0)
            state.conv = arena.activation({replicas, batch, config_.short_conv - 1, mixed_}, dtype());
        return state;
    }

private:
    Tensor raw_mixed(const Tensor& projected) const { return projected.slice(inner_, mixed_); }

    /// The operation's inputs (or their gradients) in the flat buffer and the projection.
    Mamba3Tensors tensors(const Tensor& buffer, const Tensor& projected, const Tensor& convolved) const {
        const std::int64_t tail = inner_ + mixed_;
        Mamba3Tensors t;
        t.z = projected.slice(0, inner_);
        t.xbc = config_.short_conv > 0 ? convolved : raw_mixed(projected);
        t.ddt = projected.slice(tail, heads_);
        t.da = projected.slice(tail + heads_, heads_);
        t.u = projected.slice(tail + 2 * heads_, heads_);
        t.angle = projected.slice(tail + 3 * heads_, config_.angles());
        Tensor* small[] = {&t.dt_bias, &t.d,      &t.a_log,  &t.b_bias, &t.c_bias, &t.b_norm,
                           &t.c_norm,  &t.mimo_x, &t.mimo_z, &t.mimo_o, &t.norm};
        for (std::size_t i = 0; i < std::size(small_); ++i) *small[i] = view(buffer, small_[i]);
        t.epsilon = context_.model.norm_epsilon;
        return t;
    }

    std::int64_t scratch_bytes(const BatchShape& shape, bool backward) const {
        std::int64_t bytes = backend().mamba3_memory(config_, y_, context_.form).scratch;
        if (config_.short_conv > 0)
            bytes = std::max(bytes,
                             backend().short_conv_memory(convolved_, shape_of(conv_weight_, shape.replicas)).scratch);
        if (!backward) return bytes;
        return std::max({bytes, linear_scratch(shape, context_.model.d_model, shape_of(in_proj_, shape.replicas)),
                         linear_scratch(shape, inner_, shape_of(out_proj_, shape.replicas))});
    }

    Mamba3Config config_;
    std::int64_t heads_, inner_, mixed_;  // mixed: channels of x, B and C
    int in_proj_, out_proj_, conv_weight_, conv_bias_;
    int small_[11];
    Tensor projected_, convolved_, y_, saved_, scratch_, d_projected_, d_convolved_, d_y_;
};

}  // namespace

std::unique_ptr<Mixer> make_mixer(const Mamba3Config& config, MixerContext context) {
    return std::make_unique<Mamba3Mixer>(config, std::move(context));
}

}  // namespace whorl
