// Softmax attention: q, k, v in one product → causal attention → out_proj.
#include <algorithm>

#include "core/model/mixers/mixer.hpp"

namespace whorl {
namespace {

class AttentionMixer final : public Mixer {
public:
    AttentionMixer(const AttentionConfig& config, MixerContext context)
        : Mixer(std::move(context)),
          config_(config),
          width_(config.num_heads * config.head_dim),
          in_proj_(context_.index("in_proj.weight")),
          out_proj_(context_.index("out_proj.weight")) {}

    void plan_kept(Arena& arena, const BatchShape& shape) override {
        projected_ = arena.activation(shape.with(3 * width_), stored());
        y_ = arena.activation(shape.with(width_), stored());
        saved_ = arena.bytes(backend().attention_memory(config_, projected_, capacity_).saved);
    }

    void plan_work(Arena& arena, const BatchShape& shape, bool backward) override {
        scratch_ = arena.bytes(scratch_bytes(shape, backward));
        if (!backward) return;
        d_projected_ = arena.activation(projected_.shape, stored());
        d_y_ = arena.activation(y_.shape, stored());
    }

    void forward(const Tensor& parameters, const Tensor& x, const Tensor& out, const MixerState* state,
                 std::int64_t position) override {
        backend().linear_forward(x, view(parameters, in_proj_), projected_);
        backend().attention_forward(config_, projected_, y_, state ? state->mixer : Tensor{}, position, saved_,
                                    scratch_);
        backend().linear_forward(y_, view(parameters, out_proj_), out);
    }

    MixerPass last_pass(const Tensor&) const override { return OperationPass<AttentionTensors>{{projected_}, y_}; }

    void backward(const Tensor& parameters, const Tensor& x, const Tensor& d_out, const Tensor& d_x,
                  const Tensor& gradient) override {
        backend().linear_backward(y_, view(parameters, out_proj_), d_out, d_y_, view(gradient, out_proj_), scratch_);
        backend().attention_backward(config_, projected_, y_, d_y_, d_projected_, saved_, scratch_);
        backend().linear_backward(x, view(parameters, in_proj_), d_projected_, d_x, view(gradient, in_proj_), scratch_);
    }

    MixerState plan_state(Arena& arena, std::int64_t replicas, std::int64_t batch,
                          std::int64_t capacity) const override {
        MixerState state;
        state.mixer = arena.activation({replicas, batch, capacity, 2 * width_}, dtype());
        return state;
    }
    void reserve_context(std::int64_t capacity) override { capacity_ = capacity; }

private:
    std::int64_t scratch_bytes(const BatchShape& shape, bool backward) const {
        const std::int64_t bytes = backend().attention_memory(config_, projected_, capacity_).scratch;
        if (!backward) return bytes;
        return std::max({bytes, linear_scratch(shape, context_.model.d_model, shape_of(in_proj_, shape.replicas)),
                         linear_scratch(shape, width_, shape_of(out_proj_, shape.replicas))});
    }

    AttentionConfig config_;
    std::int64_t width_;
    int in_proj_, out_proj_;
    std::int64_t capacity_ = 0;  // earlier positions that a carried cache may hold
    Tensor projected_, y_, saved_, scratch_, d_projected_, d_y_;
};

}  // namespace

std::unique_ptr<Mixer> make_mixer(const AttentionConfig& config, MixerContext context) {
    return std::make_unique<AttentionMixer>(config, std::move(context));
}

}  // namespace whorl
