// A mixer: what stands between a block's norm and its residual add. One file each; each binds its tensors to a shape,
// then runs forward and backward through the backend without allocating.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "core/backend/backend.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl {

/// What every mixer needs to know.
struct MixerContext {
    const ModelConfig& model;
    const ParameterLayout& layout;
    std::string prefix;  // "backbone.layers.i.mixer."
    Backend& backend;
    DType dtype;   // of parameters and states
    DType stored;  // of activations
    FormChoice form;

    int index(const std::string& name) const { return layout.index(prefix + name); }
    int find(const std::string& name) const { return layout.find(prefix + name); }
};

/// Carried through decoding: the mixer's own state and the inputs before its convolution.
struct MixerState {
    Tensor mixer, conv;
};

struct AttentionTensors {
    Tensor qkv;  // [R,B,L,3·H·K]
};

/// What a mixer handed to its operation in its last forward, and what came back: views, until the next forward or bind.
template <class Inputs>
struct OperationPass {
    Inputs in;
    Tensor y;  // [R,B,L,heads·channels], before norm (where the operation has none) and output projection
};
using MixerPass = std::variant<OperationPass<Mamba3Tensors>, OperationPass<Mamba2Tensors>,
                               OperationPass<GatedDeltaTensors>, OperationPass<AttentionTensors>>;

struct BatchShape {
    std::int64_t replicas, batch, length;
    std::array<std::int64_t, 4> with(std::int64_t features) const { return {replicas, batch, length, features}; }
};

class Mixer {
public:
    explicit Mixer(MixerContext context) : context_(std::move(context)) {}
    virtual ~Mixer() = default;

    /// Takes what forward keeps for backward, then (second call) what is needed only while the mixer runs: less where
    /// it never runs backward.
    virtual void plan_kept(Arena& arena, const BatchShape& shape) = 0;
    virtual void plan_work(Arena& arena, const BatchShape& shape, bool backward) = 0;

    /// out [R,B,L,D] = mixer(x). `state` null: the sequence starts from nothing.
    virtual void forward(const Tensor& parameters, const Tensor& x, const Tensor& out, const MixerState* state,
                         std::int64_t position) = 0;
    /// The last forward as seen from outside (core/trace); `parameters` as then.
    virtual MixerPass last_pass(const Tensor& parameters) const = 0;
    /// d_x overwritten; parameter gradients accumulate.
    virtual void backward(const Tensor& parameters, const Tensor& x, const Tensor& d_out, const Tensor& d_x,
                          const Tensor& gradient) = 0;
    /// Takes the tensors that decoding carries; `capacity` tokens at most (attention).
    virtual MixerState plan_state(Arena& arena, std::int64_t replicas, std::int64_t batch,
                                  std::int64_t capacity) const = 0;
    /// Scratch planned from now on allows for states of `capacity` tokens.
    virtual void reserve_context(std::int64_t) {}

protected:
    Tensor view(const Tensor& buffer, int index) const { return context_.layout.view(buffer, index); }
    /// Shape and strides of a parameter without memory, for sizing scratch.
    Tensor shape_of(int index, std::int64_t replicas) const {
        Tensor buffer;
        buffer.dtype = dtype();
        buffer.shape = {replicas, 1, 1, context_.layout.slice()};
        return view(buffer, index);
    }
    /// Scratch of the backward pass of y = x Wᵀ, x [R,B,L,features].
    std::int64_t linear_scratch(const BatchShape& shape, std::int64_t features, const Tensor& weight) const {
        Tensor x;
        x.dtype = stored();
        x.shape = shape.with(features);
        return backend().linear_memory(x, weight).scratch;
    }
    Backend& backend() const { return context_.backend; }
    DType dtype() const { return context_.dtype; }
    DType stored() const { return context_.stored; }

    MixerContext context_;
};

std::unique_ptr<Mixer> make_mixer(const Mamba3Config& config, MixerContext context);
std::unique_ptr<Mixer> make_mixer(const Mamba2Config& config, MixerContext context);
std::unique_ptr<Mixer> make_mixer(const GatedDeltaNetConfig& config, MixerContext context);
std::unique_ptr<Mixer> make_mixer(const AttentionConfig& config, MixerContext context);

}  // namespace whorl
