// Which layers, heads and channels of a model a trace keeps.
#include <algorithm>
#include <iterator>

#include "core/base/error.hpp"
#include "core/trace/layer_tracer.hpp"

namespace whorl::trace {
namespace {

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
    return axis("", count).labels;
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
        for (const std::int64_t channel : pair_channels(pair, sizes.channels, sizes.pairing))
            channels.push_back(channel);
    return ascending(std::move(channels));
}

LayerSelection chosen(const TraceSelection& selection, const LayerSizes& sizes) {
    return {selection.heads.empty() ? all_below(sizes.heads) : those_below(sizes.heads, selection.heads),
            chosen_channels(selection, sizes)};
}

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

}  // namespace

std::vector<FollowedLayer> tracers_of(const ModelConfig& config, std::int64_t length, const TraceSelection& selection) {
    const std::vector<NamedLayer> layers = chosen_layers(config, selection);
    check_selection(selection, layers);
    std::vector<FollowedLayer> followed;
    for (const NamedLayer& layer : layers) {
        const LayerSelection own = chosen(selection, layer.sizes);
        if (own.heads.empty()) continue;
        const auto follow = [&](const auto& mixer) {
            followed.push_back({layer.layer, make_tracer(mixer, config.d_model, own, length)});
        };
        std::visit(follow, config.layers[static_cast<std::size_t>(layer.layer)]);
    }
    return followed;
}

}  // namespace whorl::trace
