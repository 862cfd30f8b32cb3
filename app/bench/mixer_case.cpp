#include "app/bench/mixer_case.hpp"

#include <algorithm>
#include <type_traits>

#include "app/bench/random_inputs.hpp"
#include "app/bench/work.hpp"

namespace whorl {
namespace {

// ---- the four operations under one name; `state` is empty or carried

struct Operation {
    Backend& backend;
    FormChoice form;
    Tensor state, saved, scratch;

    void forward(const Mamba3Config& c, const OperationPass<Mamba3Tensors>& p) const {
        backend.mamba3_forward(c, p.in, p.y, state, 0, saved, scratch, form);
    }
    void forward(const Mamba2Config& c, const OperationPass<Mamba2Tensors>& p) const {
        backend.mamba2_forward(c, p.in, p.y, state, saved, scratch, form);
    }
    void forward(const GatedDeltaNetConfig& c, const OperationPass<GatedDeltaTensors>& p) const {
        backend.gated_delta_forward(c, p.in, p.y, state, saved, scratch, form);
    }
    void forward(const AttentionConfig& c, const OperationPass<AttentionTensors>& p) const {
        backend.attention_forward(c, p.in.qkv, p.y, state, 0, saved, scratch);
    }

    void backward(const Mamba3Config& c, const OperationPass<Mamba3Tensors>& p,
                  const OperationPass<Mamba3Tensors>& d) const {
        backend.mamba3_backward(c, p.in, d.y, d.in, saved, scratch, form);
    }
    void backward(const Mamba2Config& c, const OperationPass<Mamba2Tensors>& p,
                  const OperationPass<Mamba2Tensors>& d) const {
        backend.mamba2_backward(c, p.in, d.y, d.in, saved, scratch, form);
    }
    void backward(const GatedDeltaNetConfig& c, const OperationPass<GatedDeltaTensors>& p,
                  const OperationPass<GatedDeltaTensors>& d) const {
        backend.gated_delta_backward(c, p.in, d.y, d.in, saved, scratch, form);
    }
    void backward(const AttentionConfig& c, const OperationPass<AttentionTensors>& p,
                  const OperationPass<AttentionTensors>& d) const {
        backend.attention_backward(c, p.in.qkv, p.y, d.y, d.in.qkv, saved, scratch);
    }
};

OpMemory memory_of(Backend& b, const Mamba3Config& c, const OperationPass<Mamba3Tensors>& p, FormChoice form) {
    return b.mamba3_memory(c, p.y, form);
}
OpMemory memory_of(Backend& b, const Mamba2Config& c, const OperationPass<Mamba2Tensors>& p, FormChoice form) {
    return b.mamba2_memory(c, p.y, form);
}
OpMemory memory_of(Backend& b, const GatedDeltaNetConfig& c, const OperationPass<GatedDeltaTensors>& p,
                   FormChoice form) {
    return b.gated_delta_memory(c, p.y, form);
}
OpMemory memory_of(Backend& b, const AttentionConfig& c, const OperationPass<AttentionTensors>& p, FormChoice) {
    return b.attention_memory(c, p.in.qkv, 0);
}

/// The layer's config and its pass are alternatives of the same index.
template <class Config>
using PassOf = std::conditional_t<
    std::is_same_v<Config, Mamba3Config>, OperationPass<Mamba3Tensors>,
    std::conditional_t<std::is_same_v<Config, Mamba2Config>, OperationPass<Mamba2Tensors>,
                       std::conditional_t<std::is_same_v<Config, GatedDeltaNetConfig>, OperationPass<GatedDeltaTensors>,
                                          OperationPass<AttentionTensors>>>>;

/// body(config, pass) in the types that belong to the layer.
template <class Body>
void with_layer(const MixerConfig& layer, const MixerPass& pass, const Body& body) {
    std::visit([&](const auto& config) { body(config, std::get<PassOf<std::decay_t<decltype(config)>>>(pass)); },
               layer);
}

// ---- bytes

double bytes_of(const Tensor& t) {
    if (!t) return 0;
    return static_cast<double>(t.shape[0] * t.shape[1] * t.shape[2] * t.shape[3]) *
           static_cast<double>(size_of(t.dtype));
}
double input_bytes(const Mamba3Tensors& t) {
    return bytes_of(t.z) + bytes_of(t.xbc) + bytes_of(t.ddt) + bytes_of(t.da) + bytes_of(t.u) + bytes_of(t.angle);
}
double input_bytes(const Mamba2Tensors& t) {
    return bytes_of(t.xbc) + bytes_of(t.ddt);
}
double input_bytes(const GatedDeltaTensors& t) {
    return bytes_of(t.q) + bytes_of(t.k) + bytes_of(t.v) + bytes_of(t.a) + bytes_of(t.b);
}
double input_bytes(const AttentionTensors& t) {
    return bytes_of(t.qkv);
}

constexpr double kCacheBytes = 128e6;  // beyond the second-level cache of any GPU
constexpr std::int64_t kMostSets = 16;

}  // namespace

MixerCase::MixerCase(Backend& backend, const ModelConfig& config, const BatchShape& shape, FormChoice form,
                     MixerUse use)
    : backend_(backend),
      config_(config),
      shape_(shape),
      form_(form),
      use_(use),
      layout_(config),
      population_(layout_, replica_seeds(shape.replicas), backend),
      sets_(1) {
    Arena one;
    plan(one);
    if (backend.device() != Device::cpu)
        sets_.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(
            static_cast<std::int64_t>(kCacheBytes / static_cast<double>(one.used())), 1, kMostSets)));
    Arena all;
    plan(all);
    memory_ = backend.allocate(all.used());
    fill_random(backend, memory_, 1);
    Arena arena(memory_.data(), backend.device());
    plan(arena);
}

void MixerCase::plan(Arena& arena) {
    const MixerContext context{
        config_, layout_, "backbone.layers.0.mixer.", backend_, DType::f32, backend_.stored(DType::f32), form_};
    const auto make = [&] {
        auto mixer = std::visit([&](const auto& layer) { return make_mixer(layer, context); }, config_.layers[0]);
        mixer->plan_kept(arena, shape_);
        return mixer;
    };
    for (Inputs& inputs : sets_) {
        inputs.values = make();
        if (use_ == MixerUse::training) inputs.gradients = make();
        if (use_ == MixerUse::update)
            inputs.state = inputs.values->plan_state(arena, shape_.replicas, shape_.batch, shape_.length).mixer;
    }
    with_layer(config_.layers[0], sets_[0].values->last_pass(population_.parameters()),
               [&](const auto& layer, const auto& pass) {
                   const OpMemory memory = memory_of(backend_, layer, pass, form_);
                   saved_ = arena.bytes(memory.saved);
                   scratch_ = arena.bytes(memory.scratch);
               });
}

void MixerCase::call(const Inputs& inputs) {
    const Operation operation{backend_, form_, inputs.state, saved_, scratch_};
    with_layer(config_.layers[0], inputs.values->last_pass(population_.parameters()),
               [&](const auto& layer, const auto& pass) {
                   operation.forward(layer, pass);
                   if (use_ != MixerUse::training) return;
                   const MixerPass gradients = inputs.gradients->last_pass(population_.gradient());
                   operation.backward(layer, pass, std::get<std::decay_t<decltype(pass)>>(gradients));
               });
}

RecordedTiming MixerCase::time(double seconds) {
    return time_recorded(backend_, seconds, static_cast<std::int64_t>(sets_.size()),
                         [&](std::int64_t i) { call(sets_[static_cast<std::size_t>(i)]); });
}

BenchWork MixerCase::work() const {
    const bool training = use_ == MixerUse::training;
    BenchWork work;
    work.tokens = static_cast<double>(shape_.replicas * shape_.batch * shape_.length);
    work.flops =
        2 * (training ? 3 : 1) * work.tokens * recurrence_macs(config_.layers[0], config_.d_model, shape_.length);
    if (use_ == MixerUse::update) {
        work.bytes = 2 * bytes_of(sets_[0].state);
        return work;
    }
    with_layer(config_.layers[0], sets_[0].values->last_pass(population_.parameters()),
               [&](const auto&, const auto& pass) {
                   const double inputs = input_bytes(pass.in), y = bytes_of(pass.y);
                   work.bytes = inputs + y + (training ? inputs + y + inputs : 0);  // backward: inputs, d_y, gradients
               });
    return work;
}

FormChoice MixerCase::chosen_form() const {
    FormChoice chosen;
    with_layer(config_.layers[0], sets_[0].values->last_pass(population_.parameters()),
               [&](const auto& layer, const auto& pass) {
                   if constexpr (!std::is_same_v<std::decay_t<decltype(layer)>, AttentionConfig>)
                       chosen = backend_.chosen_form(layer, pass.y, form_);
               });
    return chosen;
}

}  // namespace whorl
