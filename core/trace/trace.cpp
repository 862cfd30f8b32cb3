#include "core/trace/trace.hpp"

#include <algorithm>
#include <iterator>

#include "core/backend/factories.hpp"
#include "core/base/error.hpp"
#include "core/io/parameter_file.hpp"
#include "core/model/language_model.hpp"
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

std::vector<std::int64_t> those_below(std::int64_t count, const std::vector<std::int64_t>& values) {
    std::vector<std::int64_t> kept;
    std::copy_if(values.begin(), values.end(), std::back_inserter(kept), [&](std::int64_t v) { return v < count; });
    return ascending(std::move(kept));
}

std::int64_t pairs_of(const LayerSizes& sizes) {
    return (sizes.channels + 1) / 2;
}

std::vector<std::int64_t> chosen_channels(const TraceSelection& selection, const LayerSizes& sizes) {
    if (!selection.state || sizes.channels == 0) return {};
    if (selection.pairs.empty()) return all_below(sizes.channels);
    std::vector<std::int64_t> channels;
    for (const std::int64_t pair : those_below(pairs_of(sizes), selection.pairs))
        for (const std::int64_t channel : trace::pair_channels(pair, sizes.channels, sizes.pairing))
            channels.push_back(channel);
    return ascending(std::move(channels));
}

LayerSelection chosen(const TraceSelection& selection, const LayerSizes& sizes) {
    return {selection.heads.empty() ? all_below(sizes.heads) : those_below(sizes.heads, selection.heads),
            chosen_channels(selection, sizes)};
}

/// A chosen layer and what follows it.
struct Followed {
    std::int64_t layer;
    std::unique_ptr<LayerTracer> tracer;
};

/// A layer by its number, as messages name it, with its sizes.
struct NamedLayer {
    std::int64_t layer;
    std::string name;
    LayerSizes sizes;
};

std::vector<NamedLayer> chosen_layers(const ModelConfig& config, const TraceSelection& selection) {
    for (const std::int64_t layer : selection.layers) check(layer, config.n_layer, "--layer", "the model has layers");
    std::vector<NamedLayer> layers;
    for (const std::int64_t layer : selection.layers.empty() ? all_below(config.n_layer) : ascending(selection.layers))
        std::visit(
            [&](const auto& mixer) {
                layers.push_back({layer, "layer " + std::to_string(layer) + " (" + mixer_type(mixer) + ")",
                                  sizes_of(mixer, config.d_model)});
            },
            config.layers[static_cast<std::size_t>(layer)]);
    return layers;
}

/// What is asked for must be in one of the layers: in the one that has most.
void check_selection(const TraceSelection& selection, const std::vector<NamedLayer>& layers) {
    const auto largest = [&](const auto& count) {
        return *std::max_element(layers.begin(), layers.end(), [&](const NamedLayer& a, const NamedLayer& b) {
            return count(a.sizes) < count(b.sizes);
        });
    };
    const NamedLayer heads = largest([](const LayerSizes&sizes) { return sizes.heads; }), pairs = largest(pairs_of);
    for (const std::int64_t head : selection.heads) check(head, heads.sizes.heads, "--head", heads.name + " has heads");
    if (!selection.state || pairs.sizes.channels == 0) return;
    for (const std::int64_t pair : selection.pairs)
        check(pair, pairs_of(pairs.sizes), "--state", pairs.name + " has pairs of state channels");
}

std::vector<Followed> tracers_of(const ModelConfig& config, std::int64_t length, const TraceSelection& selection) {
    const std::vector<NamedLayer> layers = chosen_layers(config, selection);
    check_selection(selection, layers);
    std::vector<Followed> followed;
    for (const NamedLayer& layer : layers) {
        const LayerSelection own = chosen(selection, layer.sizes);
        if (own.heads.empty()) continue;
        const auto follow = [&](const auto& mixer) {
            followed.push_back({layer.layer, trace::make_tracer(mixer, config.d_model, own, length)});
        };
        std::visit(follow, config.layers[static_cast<std::size_t>(layer.layer)]);
    }
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
                   const TraceSelection& selection, const std::function<void(std::int64_t)>& progress) {
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
        if (progress) progress(t + 1);
    }
    Trace result{config, tokens, {}, logits.take(length)};
    for (Followed& one : followed) result.layers.push_back(layer_of(config, one, length));
    return result;
}

}  // namespace whorl
