#include "core/trace/trace.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/model/language_model.hpp"
#include "core/model/parameter_file.hpp"
#include "core/trace/layer_tracer.hpp"

namespace whorl {
namespace {

using trace::LayerSelection;
using trace::LayerTracer;

// --- what is chosen --------------------------------------------------------------------------------------------------

/// Heads, and channels of the state (0: none to choose from), of one layer.
struct LayerSizes {
    std::int64_t heads, channels;
    RotaryPairing pairing = RotaryPairing::neighbours;
};
LayerSizes sizes_of(const Mamba3Config& config, std::int64_t d_model) {
    return {config.heads(d_model), config.d_state, config.pairing()};
}
LayerSizes sizes_of(const Mamba2Config& config, std::int64_t d_model) {
    return {config.heads(d_model), config.d_state};
}
LayerSizes sizes_of(const GatedDeltaNetConfig& config, std::int64_t) {
    return {config.v_heads(), config.head_dim};
}
LayerSizes sizes_of(const AttentionConfig& config, std::int64_t) {
    return {config.num_heads, 0};
}

void check(std::int64_t value, std::int64_t count, const char* flag, const std::string& what) {
    if (value >= 0 && value < count) return;
    throw UserError(std::string(flag) + " " + std::to_string(value) + ": " + what + " 0.." + std::to_string(count - 1));
}

std::vector<std::int64_t> all_below(std::int64_t count) {
    return trace::axis("", count).labels;
}
std::vector<std::int64_t> ascending(std::vector<std::int64_t> values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::vector<std::int64_t> chosen_channels(const TraceSelection& selection, const LayerSizes& sizes,
                                          const std::string& layer) {
    if (!selection.state || sizes.channels == 0) return {};
    if (selection.pairs.empty()) return all_below(sizes.channels);
    std::vector<std::int64_t> channels;
    for (const std::int64_t pair : selection.pairs) {
        check(pair, (sizes.channels + 1) / 2, "--state", layer + " has pairs of state channels");
        for (const std::int64_t channel : trace::pair_channels(pair, sizes.channels, sizes.pairing))
            channels.push_back(channel);
    }
    return ascending(std::move(channels));
}

LayerSelection chosen(const TraceSelection& selection, const LayerSizes& sizes, const std::string& layer) {
    for (const std::int64_t head : selection.heads) check(head, sizes.heads, "--head", layer + " has heads");
    return {selection.heads.empty() ? all_below(sizes.heads) : ascending(selection.heads),
            chosen_channels(selection, sizes, layer)};
}

/// A chosen layer and what follows it.
struct Followed {
    std::int64_t layer;
    std::unique_ptr<LayerTracer> tracer;
};

std::vector<Followed> tracers_of(const ModelConfig& config, std::int64_t length, const TraceSelection& selection) {
    for (const std::int64_t layer : selection.layers) check(layer, config.n_layer, "--layer", "the model has layers");
    std::vector<Followed> followed;
    for (const std::int64_t layer : selection.layers.empty() ? all_below(config.n_layer) : ascending(selection.layers))
        std::visit(
            [&](const auto& mixer) {
                const std::string name = "layer " + std::to_string(layer) + " (" + mixer_type(mixer) + ")";
                const LayerSelection own = chosen(selection, sizes_of(mixer, config.d_model), name);
                followed.push_back({layer, trace::make_tracer(mixer, config.d_model, own, length)});
            },
            config.layers[static_cast<std::size_t>(layer)]);
    return followed;
}

// --- the model, token by token ---------------------------------------------------------------------------------------

class Decoder {
public:
    Decoder(const ModelConfig& config, const std::vector<double>& slice, std::int64_t length)
        : backend_(make_cpu_backend(1)), model_(config, *backend_, DType::f64) {
        const std::array<std::int64_t, 4> shape{1, 1, 1, model_.layout().slice()};
        memory_ = backend_->allocate(activation_bytes(shape, DType::f64));
        parameters_ = activation_at(memory_.data(), shape, DType::f64, Device::cpu);
        upload_slice(*backend_, slice, parameters_);
        model_.bind({1, 1, 1, 1, false, length});
        state_ = model_.make_state(1, 1, length);
        *model_.supervision().row_of.at<std::int32_t>() = 0;
    }

    void feed(std::int32_t token) {
        *model_.tokens().at<std::int32_t>() = token;
        model_.forward(parameters_, &state_);
    }
    MixerPass pass(std::int64_t layer) const { return model_.last_pass(static_cast<std::size_t>(layer), parameters_); }
    const double* logits() const { return model_.logits().at<double>(); }

private:
    std::unique_ptr<Backend> backend_;
    LanguageModel model_;
    Buffer memory_;
    Tensor parameters_;
    State state_;
};

TraceLayer layer_of(const ModelConfig& config, Followed& followed, std::int64_t length) {
    TraceLayer layer{followed.layer, mixer_type(config.layers[static_cast<std::size_t>(followed.layer)]), {}};
    for (trace::Series* series : followed.tracer->series()) layer.quantities.push_back(series->take(length));
    return layer;
}

}  // namespace

std::vector<std::int64_t> TraceQuantity::shape() const {
    std::vector<std::int64_t> extents;
    for (const TraceAxis& axis : axes) extents.push_back(static_cast<std::int64_t>(axis.labels.size()));
    return extents;
}

const TraceQuantity* TraceLayer::find(const std::string& name) const {
    for (const TraceQuantity& quantity : quantities)
        if (quantity.name == name) return &quantity;
    return nullptr;
}

std::int64_t count_trace(const ModelConfig& config, std::int64_t length, const TraceSelection& selection) {
    std::int64_t per_position = config.vocab_size;
    for (const Followed& followed : tracers_of(config, length, selection))
        for (const trace::Series* series : followed.tracer->series()) per_position += series->numbers_per_position();
    return per_position * length;
}

Trace record_trace(const ModelConfig& config, const std::vector<double>& slice, const std::vector<std::int32_t>& tokens,
                   const TraceSelection& selection) {
    const auto length = static_cast<std::int64_t>(tokens.size());
    std::vector<Followed> followed = tracers_of(config, length, selection);
    for (Followed& one : followed)
        for (trace::Series* series : one.tracer->series()) series->reserve(length);
    trace::Series logits("logits", {trace::axis("token", config.vocab_size)});
    Decoder decoder(config, slice, length);
    for (std::int64_t t = 0; t < length; ++t) {
        decoder.feed(tokens[static_cast<std::size_t>(t)]);
        for (Followed& one : followed) one.tracer->step(decoder.pass(one.layer), t);
        logits.put(decoder.logits(), config.vocab_size);
    }
    Trace result{config, tokens, {}, logits.take(length)};
    for (Followed& one : followed) result.layers.push_back(layer_of(config, one, length));
    return result;
}

}  // namespace whorl
