// The language model around its mixers: embedding, pre-norm residual blocks, head and loss, over all replicas.
//
// A LanguageModel is bound to one shape (batch, length, supervised slots) at a time; binding plans the arena, running
// does not allocate. Parameters and gradients are flat slices that the caller owns (ParameterLayout), so that training,
// decoding and importing share them.
#pragma once

#include <memory>
#include <vector>

#include "core/backend/communicator.hpp"
#include "core/model/mixers/mixer.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl {

class Block;  // one layer: norm, mixer, and the MLP when there is one
class Head;   // final norm and output projection over the supervised rows

/// What decoding carries from token to token, layer by layer.
struct State {
    Buffer memory;
    std::vector<MixerState> layers;
    std::int64_t capacity = 0;
    std::int64_t position = 0;  // tokens seen
};

struct ModelShape {
    std::int64_t replicas = 1, batch = 1, length = 1;
    std::int64_t slots = 1;    // supervised rows a replica
    bool backward = true;      // false: no gradients will be asked for
    std::int64_t context = 0;  // tokens a carried state may already hold (attention's scratch)
    bool packed = false;       // without what no supervised row depends on; the backend packs batches, no state
    bool passes = false;       // last_pass will be asked for; with `backward` it always may be
    bool operator==(const ModelShape&) const = default;
};

class LanguageModel {
public:
    LanguageModel(const ModelConfig& config, Backend& backend, DType dtype, FormChoice form = {});
    ~LanguageModel();
    LanguageModel(const LanguageModel&) = delete;
    LanguageModel& operator=(const LanguageModel&) = delete;

    const ModelConfig& config() const { return config_; }
    const ParameterLayout& layout() const { return layout_; }
    DType dtype() const { return dtype_; }
    /// Of what a layer's operations hand to each other (Backend::stored, when the model was made).
    DType stored() const { return stored_; }
    FormChoice form() const { return form_; }

    /// Bytes of the arena for `shape`; what `bind` will allocate.
    std::int64_t arena_bytes(const ModelShape& shape) const;
    /// Prepares for `shape`: reuses the arena when it is large enough, else allocates a larger one.
    void bind(const ModelShape& shape);
    const ModelShape& shape() const { return shape_; }
    std::int64_t arena_size() const { return memory_.size(); }

    /// Inputs of the bound shape, to be filled before forward: tokens i32 [R,B,1,L], supervision i32 [R,1,1,slots].
    const Tensor& tokens() const { return tokens_; }
    const Supervision& supervision() const { return supervision_; }
    const LossTensors& losses() const { return losses_; }
    /// Logits [R,1,slots,V] of the supervised rows after `forward` (their gradient after `loss_and_gradient`).
    const Tensor& logits() const { return logits_; }

    /// parameters [R,1,1,slice]. Computes logits of the supervised rows; continues from and advances `state` when
    /// given, which a model that stores bf16 does not take.
    void forward(const Tensor& parameters, State* state = nullptr);
    /// After forward, with the same parameters: what layer `layer` handed to its operation and got back. Of a shape
    /// with `backward` or `passes`: without, layers share their memory.
    MixerPass last_pass(std::size_t layer, const Tensor& parameters) const;
    /// After forward: loss, hits and used slots of every replica, no gradient.
    void evaluate_loss();
    /// After forward: the same, with smoothed targets, and adds the gradient of each replica's mean loss to `gradient`
    /// [R,1,1,slice].
    void loss_and_gradient(const Tensor& parameters, const Tensor& gradient, double label_smoothing = 0);

    /// A zeroed state for decoding up to `capacity` tokens (only attention needs the bound).
    State make_state(std::int64_t replicas, std::int64_t batch, std::int64_t capacity) const;
    /// Bytes that make_state allocates.
    std::int64_t state_bytes(std::int64_t replicas, std::int64_t batch, std::int64_t capacity) const;
    /// Makes a state what it was when it was made.
    void clear(State& state) const;

private:
    LanguageModel(const ModelConfig& config, Backend& backend, DType dtype, FormChoice form, DType stored);
    void plan(Arena& arena, const ModelShape& shape);
    void plan_inputs(Arena& arena, const ModelShape& shape);
    void plan_blocks(Arena& arena, const ModelShape& shape);
    void plan_head(Arena& arena, const ModelShape& shape);
    std::vector<MixerState> plan_states(Arena& arena, std::int64_t replicas, std::int64_t batch,
                                        std::int64_t capacity) const;
    const Tensor& embedded_tokens() const { return shape_.packed ? packed_.tokens : tokens_; }

    ModelConfig config_;
    ParameterLayout layout_;
    Backend& backend_;
    DType dtype_, stored_;
    FormChoice form_;
    int embedding_;
    std::vector<std::unique_ptr<Block>> blocks_;
    std::unique_ptr<Head> head_;
    ModelShape shape_;
    bool bound_ = false;
    Buffer memory_;
    Tensor tokens_, embedded_, logits_, d_stream_;
    Supervision supervision_;
    PackedBatch packed_;
    LossTensors losses_;
};

}  // namespace whorl
