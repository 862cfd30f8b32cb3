#include "viz/views/head_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/base/error.hpp"
#include "core/trace/reading.hpp"
#include "core/trace/source_weights.hpp"
#include "core/trace/steps.hpp"

namespace whorl::viz {
namespace {

bool is_mamba3(const MixerConfig& mixer) {
    return std::holds_alternative<Mamba3Config>(mixer);
}

double theta_at(const HeadSteps& steps, std::size_t t, std::int64_t pair) {
    const TraceQuantity* theta = steps.layer().find("theta");
    if (theta == nullptr || pair >= theta->shape()[1]) return 0;
    return Reading(steps.layer(), "theta")(t, pair);
}

}  // namespace

HeadSteps head_steps(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens, const Address& address,
                     const char* view) {
    const auto& layers = exhibit.config.layers;
    if (std::none_of(layers.begin(), layers.end(), is_mamba3))
        throw UserError(fmt::format("{}: {} is {}; only Mamba-3 has a λ. It can have dials and ask-now", view,
                                    exhibit.name, title_of(exhibit.config)));
    HeadSteps steps;
    steps.about = exhibit.about;
    steps.kept = find_kept(exhibit, tokens, address, is_mamba3);
    TraceSelection selection;
    selection.state = false;
    steps.trace = record_trace(exhibit.config, exhibit.slice, tokens, selection);
    const Reading dt(steps.layer(), "dt"), lambda(steps.layer(), "lambda"), a(steps.layer(), "a");
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        steps.tokens.push_back(text_of(exhibit, tokens[t]));
        steps.dt.push_back(dt(t, steps.kept.part.head));
        steps.lambda.push_back(lambda(t, steps.kept.part.head));
        steps.a.push_back(a(t, steps.kept.part.head));
    }
    return steps;
}

ModelSteps model_steps(const HeadSteps& steps) {
    ModelSteps model{std::numeric_limits<double>::infinity(), 0, steps.about};
    for (std::size_t t = 0; t < steps.dt.size(); ++t) {
        const double theta = theta_at(steps, t, steps.kept.part.pair);
        const double size = steps.dt[t] * std::sqrt(steps.a[t] * steps.a[t] + theta * theta);
        if (size <= 0) continue;
        model.low = std::min(model.low, size);
        model.high = std::max(model.high, size);
    }
    return model;
}

std::vector<ModelPlaces> model_places(const HeadSteps& steps) {
    std::map<std::pair<bool, std::string>, ModelPlaces> places;
    const Reading dt(steps.layer(), "dt"), a(steps.layer(), "a");
    const TraceQuantity* theta = steps.layer().find("theta");
    const std::int64_t pairs = theta ? theta->shape()[1] : 1;
    for (std::size_t t = 0; t < steps.tokens.size(); ++t)
        for (std::int64_t head = 0; head < dt.extent(1); ++head)
            for (std::int64_t pair = 0; pair < pairs; ++pair) {
                const bool kept = head == steps.kept.part.head;
                ModelPlaces& place = places[{kept, steps.tokens[t]}];
                place.label = kept ? "at a " + steps.tokens[t] : "";
                place.kept = kept;
                place.z.emplace_back(dt(t, head) * a(t, head), -dt(t, head) * theta_at(steps, t, pair));
            }
    std::vector<ModelPlaces> result;
    std::size_t symbol = 0;
    for (auto& [key, place] : places) {
        if (!result.empty() && place.kept != result.back().kept) symbol = 0;  // one shape a symbol, whatever the head
        place.shape = symbol++ % 2 == 0 ? plot::Shape::disc : plot::Shape::square;
        result.push_back(std::move(place));
    }
    return result;
}

TapsState taps_of(const HeadSteps& steps) {
    TapsState state;
    state.tokens = steps.tokens;
    state.weights = trace::source_weights(steps.layer(), steps.kept.part.head);
    state.head = fmt::format("head {} of layer {}", steps.kept.part.head, steps.kept.part.layer);
    return state;
}

OwnInputState own_input_of(const HeadSteps& steps, numerics::Between between) {
    const trace::StatePart& part = steps.kept.part;
    const trace::Steps pieces =
        trace::steps_of(steps.trace, {static_cast<std::size_t>(part.layer), part.head, part.pair, {}});
    OwnInputState state;
    state.tokens = steps.tokens;
    state.dt = steps.dt;
    state.lambda = steps.lambda;
    for (std::size_t t = 0; t < steps.dt.size(); ++t) {
        state.a.emplace_back(steps.a[t], -theta_at(steps, t, part.pair));
        const double gamma = steps.lambda[t] * steps.dt[t];
        const trace::PlanePoint now = pieces.steps[t].now;
        state.input.emplace_back(gamma > 0 ? now.x / gamma : 0, gamma > 0 ? now.y / gamma : 0);
    }
    state.between = between;
    state.place = fmt::format("layer {}, head {}, pair {}", part.layer, part.head, part.pair);
    return state;
}

ConvolutionTaps convolution_of(const Exhibit& exhibit) {
    const ParameterLayout layout(exhibit.config);
    for (std::int64_t i = 0; i < exhibit.config.n_layer; ++i) {
        const auto* layer = std::get_if<Mamba2Config>(&exhibit.config.layers[static_cast<std::size_t>(i)]);
        if (layer == nullptr || layer->short_conv == 0) continue;
        const int index = layout.index("backbone.layers." + std::to_string(i) + ".mixer.conv1d.weight");
        const ParameterInfo& weight = layout.parameters()[static_cast<std::size_t>(index)];
        const std::int64_t width = weight.shape.back();
        ConvolutionTaps taps{{}, exhibit.name};
        for (std::int64_t c = 0; c < weight.count / width; ++c) {
            const auto first = exhibit.slice.begin() + weight.offset + c * width;
            taps.channels.emplace_back(first, first + width);
        }
        return taps;
    }
    throw UserError("taps: " + exhibit.name +
                    " has no Mamba-2 layer with a convolution, which the second model is to show");
}

}  // namespace whorl::viz
