#include "core/model/language_model.hpp"

#include <algorithm>
#include <stdexcept>

namespace whorl {
namespace {

/// The residual stream between two norms: x, and what the last block has yet to add to it.
struct Stream {
    Tensor x, delta;
};

/// RMSNorm of the residual stream, which it brings up to date.
class NormSite {
public:
    NormSite(const ParameterLayout& layout, const std::string& name) : weight_(layout.index(name)) {}

    void plan(Arena& arena, const std::array<std::int64_t, 4>& shape, DType dtype, DType stored) {
        sum_ = arena.activation(shape, dtype);
        y = arena.activation(shape, stored);
        inverse_ = arena.activation({shape[0], shape[1], shape[2], 1}, dtype);
    }
    std::int64_t scratch(Backend& backend) const { return backend.rms_norm_memory(y).scratch; }

    void forward(Backend& backend, const ParameterLayout& layout, const Tensor& parameters, Stream& stream,
                 double epsilon) {
        backend.rms_norm_forward(stream.x, stream.delta, sum_, layout.view(parameters, weight_), y, inverse_, epsilon);
        stream_ = stream.delta ? sum_ : stream.x;
        stream.x = stream_;
    }
    void backward(Backend& backend, const ParameterLayout& layout, const Tensor& parameters, const Tensor& d_y,
                  const Tensor& d_stream, const Tensor& gradient, const Tensor& scratch) const {
        backend.rms_norm_backward(stream_, layout.view(parameters, weight_), inverse_, d_y, d_stream,
                                  layout.view(gradient, weight_), scratch);
    }

    Tensor y;

protected:
    int weight_;
    Tensor sum_, inverse_, stream_;
};

/// The same of the supervised rows alone, as the head sees them.
class ChosenNormSite : public NormSite {
public:
    using NormSite::NormSite;

    /// The norm has a row for each slot of row_of; `stream` has the shape of the residual stream.
    void plan(Arena& arena, const std::array<std::int64_t, 4>& shape, const Tensor& row_of, const Tensor& stream,
              DType stored) {
        NormSite::plan(arena, shape, stream.dtype, stored);
        rows_ = {row_of, arena.activation({shape[0], 1, 1, stream.rows()}, DType::i32)};
    }
    std::int64_t scratch(Backend& backend, const Tensor& stream) const {
        return backend.chosen_rms_norm_memory(stream, rows_.row_of).scratch;
    }

    void forward(Backend& backend, const ParameterLayout& layout, const Tensor& parameters, const Stream& stream,
                 double epsilon) const {
        backend.chosen_rms_norm_forward(stream.x, stream.delta, rows_, sum_, layout.view(parameters, weight_), y,
                                        inverse_, epsilon);
    }
    /// Overwrites d_stream.
    void backward(Backend& backend, const ParameterLayout& layout, const Tensor& parameters, const Tensor& d_y,
                  const Tensor& d_stream, const Tensor& gradient, const Tensor& scratch) const {
        backend.chosen_rms_norm_backward(sum_, layout.view(parameters, weight_), inverse_, rows_, d_y, d_stream,
                                         layout.view(gradient, weight_), scratch);
    }

private:
    RowChoice rows_;
};

}  // namespace

/// One layer: norm and mixer, then norm and MLP when the model has one.
class Block {
public:
    Block(const ModelConfig& config, std::size_t layer, const ParameterLayout& layout, Backend& backend, DType dtype,
          DType stored, FormChoice form)
        : config_(config),
          layout_(layout),
          backend_(backend),
          dtype_(dtype),
          stored_(stored),
          prefix_("backbone.layers." + std::to_string(layer) + "."),
          norm_(layout, prefix_ + "norm.weight") {
        const MixerContext context{config, layout, prefix_ + "mixer.", backend, dtype, stored, form};
        mixer_ = std::visit([&](const auto& mixer) { return make_mixer(mixer, context); }, config.layers[layer]);
        if (config.d_intermediate == 0) return;
        norm2_ = std::make_unique<NormSite>(layout, prefix_ + "norm2.weight");
        fc1_ = layout.index(prefix_ + "mlp.fc1.weight");
        fc2_ = layout.index(prefix_ + "mlp.fc2.weight");
    }

    Mixer& mixer() const { return *mixer_; }

    void plan_kept(Arena& arena, const BatchShape& shape) {
        norm_.plan(arena, shape.with(config_.d_model), dtype_, stored_);
        mixer_->plan_kept(arena, shape);
        mixed_ = arena.activation(shape.with(config_.d_model), dtype_);
        if (!norm2_) return;
        norm2_->plan(arena, shape.with(config_.d_model), dtype_, stored_);
        hidden_ = arena.activation(shape.with(2 * config_.d_intermediate), stored_);
        gated_ = arena.activation(shape.with(config_.d_intermediate), stored_);
        out_ = arena.activation(shape.with(config_.d_model), dtype_);
    }
    /// Work memory, the same for every block: mixer and MLP run one after the other.
    void plan_work(Arena& arena, const BatchShape& shape, bool backward) {
        if (!backward) return mixer_->plan_work(arena, shape, backward);
        d_normed_ = arena.activation(shape.with(config_.d_model), stored_);
        const std::int64_t mark = arena.used();
        mixer_->plan_work(arena, shape, backward);
        arena.rewind(mark);
        scratch_ = arena.bytes(scratch_bytes(shape));
        if (!norm2_) return;
        d_hidden_ = arena.activation(hidden_.shape, stored_);
        d_gated_ = arena.activation(gated_.shape, stored_);
    }

    void forward(const Tensor& parameters, Stream& stream, const MixerState* state, std::int64_t position) {
        norm_.forward(backend_, layout_, parameters, stream, config_.norm_epsilon);
        mixer_->forward(parameters, norm_.y, mixed_, state, position);
        stream.delta = mixed_;
        if (!norm2_) return;
        norm2_->forward(backend_, layout_, parameters, stream, config_.norm_epsilon);
        backend_.linear_forward(norm2_->y, layout_.view(parameters, fc1_), hidden_);
        backend_.swiglu_forward(hidden_, gated_);
        backend_.linear_forward(gated_, layout_.view(parameters, fc2_), out_);
        stream.delta = out_;
    }

    /// d_stream: gradient of the residual stream behind this block; becomes that before it.
    void backward(const Tensor& parameters, const Tensor& d_stream, const Tensor& gradient) {
        if (norm2_) {
            backend_.linear_backward(gated_, layout_.view(parameters, fc2_), d_stream, d_gated_,
                                     layout_.view(gradient, fc2_), scratch_);
            backend_.swiglu_backward(hidden_, d_gated_, d_hidden_);
            backend_.linear_backward(norm2_->y, layout_.view(parameters, fc1_), d_hidden_, d_normed_,
                                     layout_.view(gradient, fc1_), scratch_);
            norm2_->backward(backend_, layout_, parameters, d_normed_, d_stream, gradient, scratch_);
        }
        mixer_->backward(parameters, norm_.y, d_stream, d_normed_, gradient);
        norm_.backward(backend_, layout_, parameters, d_normed_, d_stream, gradient, scratch_);
    }

private:
    std::int64_t scratch_bytes(const BatchShape& shape) const {
        std::int64_t bytes = norm_.scratch(backend_);
        if (!norm2_) return bytes;
        Tensor buffer;
        buffer.dtype = dtype_;
        buffer.shape = {shape.replicas, 1, 1, layout_.slice()};
        bytes = std::max(bytes, backend_.linear_memory(norm2_->y, layout_.view(buffer, fc1_)).scratch);
        return std::max(bytes, backend_.linear_memory(gated_, layout_.view(buffer, fc2_)).scratch);
    }

    const ModelConfig& config_;
    const ParameterLayout& layout_;
    Backend& backend_;
    DType dtype_, stored_;  // of the residual stream and parameters; of what operations hand to each other
    std::string prefix_;
    NormSite norm_;
    std::unique_ptr<Mixer> mixer_;
    std::unique_ptr<NormSite> norm2_;
    int fc1_ = -1, fc2_ = -1;
    Tensor mixed_, hidden_, gated_, out_, d_normed_, d_hidden_, d_gated_, scratch_;
};

/// Final norm and head over the supervised rows.
class Head {
public:
    Head(const ModelConfig& config, const ParameterLayout& layout)
        : norm(layout, "backbone.norm_f.weight"),
          weight(layout.index(config.tie_embeddings ? "backbone.embedding.weight" : "lm_head.weight")) {}

    ChosenNormSite norm;
    int weight;
    Tensor d_normed, scratch;
};

LanguageModel::LanguageModel(const ModelConfig& config, Backend& backend, DType dtype, FormChoice form)
    : LanguageModel(config, backend, dtype, form, backend.stored(dtype)) {}

LanguageModel::LanguageModel(const ModelConfig& config, Backend& backend, DType dtype, FormChoice form, DType stored)
    : config_(config),
      layout_(config),
      backend_(backend),
      dtype_(dtype),
      stored_(stored),
      form_(form),
      embedding_(layout_.index("backbone.embedding.weight")),
      head_(std::make_unique<Head>(config_, layout_)) {
    for (std::size_t i = 0; i < config_.layers.size(); ++i)
        blocks_.push_back(std::make_unique<Block>(config_, i, layout_, backend_, dtype_, stored_, form));
}

LanguageModel::~LanguageModel() = default;

void LanguageModel::plan_inputs(Arena& arena, const ModelShape& shape) {
    const std::array<std::int64_t, 4> slots{shape.replicas, 1, 1, shape.slots};
    tokens_ = arena.activation({shape.replicas, shape.batch, 1, shape.length}, DType::i32);
    supervision_.row_of = arena.activation(slots, DType::i32);
    supervision_.target = arena.activation(slots, DType::i32);
    packed_ = {};
    if (!shape.packed) return;
    packed_.starts = arena.activation({1, 1, 1, shape.replicas * (shape.batch + 1)}, DType::i32);
    packed_.tokens = arena.activation({shape.replicas, 1, 1, shape.batch * shape.length}, DType::i32);
    packed_.row_of = arena.activation(slots, DType::i32);
}

void LanguageModel::plan_head(Arena& arena, const ModelShape& shape) {
    const std::array<std::int64_t, 4> rows{shape.replicas, 1, shape.slots, config_.d_model};
    head_->norm.plan(arena, rows, shape.packed ? packed_.row_of : supervision_.row_of, embedded_, stored_);
    logits_ = arena.activation({shape.replicas, 1, shape.slots, config_.vocab_size}, dtype_);
    for (Tensor* total : {&losses_.loss, &losses_.correct, &losses_.used})
        *total = arena.activation({shape.replicas, 1, 1, 1}, DType::f64);
}

/// What a block computes stays for the backward pass and for who looks at it. Where nobody will, blocks take turns in
/// two places: each reads what the one before it left.
void LanguageModel::plan_blocks(Arena& arena, const ModelShape& shape) {
    const BatchShape batch{shape.replicas, shape.batch, shape.length};
    if (shape.backward || shape.passes) {
        for (const auto& block : blocks_) block->plan_kept(arena, batch);
        return;
    }
    std::int64_t end = arena.used();
    for (std::size_t place = 0; place < 2; ++place) {
        const std::int64_t begin = end;
        for (std::size_t i = place; i < blocks_.size(); i += 2) {
            arena.rewind(begin);
            blocks_[i]->plan_kept(arena, batch);
            end = std::max(end, arena.used());
        }
    }
    arena.rewind(end);
}

void LanguageModel::plan(Arena& arena, const ModelShape& shape) {
    const BatchShape batch{shape.replicas, shape.batch, shape.length};
    plan_inputs(arena, shape);
    arena.pack(packed_.starts.at<std::int32_t>());
    embedded_ = arena.activation(batch.with(config_.d_model), dtype_);
    plan_blocks(arena, shape);
    if (shape.backward) d_stream_ = arena.activation(batch.with(config_.d_model), dtype_);
    arena.pack(nullptr);
    plan_head(arena, shape);
    const std::int64_t mark = arena.used();
    arena.pack(packed_.starts.at<std::int32_t>());
    for (const auto& block : blocks_) {
        arena.rewind(mark);
        block->mixer().reserve_context(shape.context);
        block->plan_work(arena, batch, shape.backward);
    }
    arena.pack(nullptr);
    if (!shape.backward) return;
    arena.rewind(mark);
    head_->d_normed = arena.activation({shape.replicas, 1, shape.slots, config_.d_model}, stored_);
    Tensor buffer;
    buffer.dtype = dtype_;
    buffer.shape = {shape.replicas, 1, 1, layout_.slice()};
    const std::int64_t needed[] = {
        head_->norm.scratch(backend_, embedded_),
        backend_.linear_memory(head_->norm.y, layout_.view(buffer, head_->weight)).scratch,
        backend_.embed_memory(tokens_, layout_.view(buffer, embedding_))
            .scratch,  // at the end, when the blocks are done
    };
    head_->scratch = arena.bytes(*std::max_element(std::begin(needed), std::end(needed)));
}

std::int64_t LanguageModel::arena_bytes(const ModelShape& shape) const {
    LanguageModel measured(config_, backend_, dtype_, form_, stored_);
    Arena arena;
    measured.plan(arena, shape);
    return arena.peak();
}

void LanguageModel::bind(const ModelShape& shape) {
    if (bound_ && shape == shape_) return;
    if (shape.packed && (!backend_.packs_batches() || shape.slots % shape.batch != 0))
        throw std::logic_error(
            "LanguageModel::bind: a packed batch needs a backend that packs, and slots for each sequence");
    Arena measure;
    plan(measure, shape);
    if (measure.peak() > memory_.size()) {
        memory_ = {};  // first give back, then take: both at once may not fit
        memory_ = backend_.allocate(measure.peak());
    }
    Arena arena(memory_.data(), backend_.device());
    plan(arena, shape);
    shape_ = shape;
    bound_ = true;
}

void LanguageModel::forward(const Tensor& parameters, State* state) {
    if (!bound_) throw std::logic_error("LanguageModel::forward before bind");
    if (shape_.packed && state) throw std::logic_error("LanguageModel::forward: a packed batch carries no state");
    if (stored_ != dtype_ && state) throw std::logic_error("LanguageModel::forward: bf16 storage carries no state");
    if (shape_.packed) backend_.pack_batch(tokens_, supervision_.row_of, packed_);
    backend_.embed_forward(embedded_tokens(), layout_.view(parameters, embedding_), embedded_);
    Stream stream{embedded_, {}};
    const std::int64_t position = state ? state->position : 0;
    for (std::size_t i = 0; i < blocks_.size(); ++i)
        blocks_[i]->forward(parameters, stream, state ? &state->layers[i] : nullptr, position);
    if (state) state->position += shape_.length;
    Head& head = *head_;
    head.norm.forward(backend_, layout_, parameters, stream, config_.norm_epsilon);
    backend_.linear_forward(head.norm.y, layout_.view(parameters, head.weight), logits_);
}

MixerPass LanguageModel::last_pass(std::size_t layer, const Tensor& parameters) const {
    return blocks_.at(layer)->mixer().last_pass(parameters);
}

void LanguageModel::evaluate_loss() {
    backend_.cross_entropy(logits_, supervision_, config_.vocab_size, losses_.loss, losses_.correct, losses_.used, {});
}

void LanguageModel::loss_and_gradient(const Tensor& parameters, const Tensor& gradient, double label_smoothing) {
    Head& head = *head_;
    Supervision smoothed = supervision_;
    smoothed.label_smoothing = label_smoothing;
    backend_.cross_entropy(logits_, smoothed, config_.vocab_size, losses_.loss, losses_.correct, losses_.used, logits_);
    backend_.linear_backward(head.norm.y, layout_.view(parameters, head.weight), logits_, head.d_normed,
                             layout_.view(gradient, head.weight), head.scratch);
    head.norm.backward(backend_, layout_, parameters, head.d_normed, d_stream_, gradient, head.scratch);
    for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block)
        (*block)->backward(parameters, d_stream_, gradient);
    backend_.embed_backward(embedded_tokens(), d_stream_, layout_.view(gradient, embedding_), head.scratch);
}

std::vector<MixerState> LanguageModel::plan_states(Arena& arena, std::int64_t replicas, std::int64_t batch,
                                                   std::int64_t capacity) const {
    std::vector<MixerState> layers;
    for (const auto& block : blocks_) layers.push_back(block->mixer().plan_state(arena, replicas, batch, capacity));
    return layers;
}

std::int64_t LanguageModel::state_bytes(std::int64_t replicas, std::int64_t batch, std::int64_t capacity) const {
    Arena measure;
    plan_states(measure, replicas, batch, capacity);
    return measure.peak();
}

State LanguageModel::make_state(std::int64_t replicas, std::int64_t batch, std::int64_t capacity) const {
    State state;
    state.memory = backend_.allocate(state_bytes(replicas, batch, capacity));
    Arena arena(state.memory.data(), backend_.device());
    state.layers = plan_states(arena, replicas, batch, capacity);
    state.capacity = capacity;
    return state;
}

void LanguageModel::clear(State& state) const {
    const Tensor all = activation_at(state.memory.data(), {1, 1, 1, 1}, dtype_, backend_.device());
    backend_.zero(all, state.memory.size());
    state.position = 0;
}

}  // namespace whorl
