#include "core/model/constructed/hand_weights.hpp"

#include <algorithm>

#include "core/numerics/mixer_terms.hpp"

namespace whorl {

std::string of_mixer(const std::string& name) {
    return "backbone.layers.0.mixer." + name;
}

HandWeights::HandWeights(const ModelConfig& config)
    : config_(config),
      layout_(config),
      slice_(static_cast<std::size_t>(layout_.slice()), 0.0),
      gain_(numerics::inverse_rms(1.0, static_cast<double>(config.d_model), config.norm_epsilon)) {
    for (std::int64_t v = 0; v < config.vocab_size; ++v) at("backbone.embedding.weight", v, v) = 1;
    for (const ParameterInfo& p : layout_.parameters())
        if (p.name.find("norm") != std::string::npos) fill(p.name, 1);
}

double& HandWeights::at(const std::string& name, std::int64_t i, std::int64_t j) {
    const ParameterInfo& p = layout_.parameters()[static_cast<std::size_t>(layout_.index(name))];
    const std::int64_t columns = p.count / p.shape.front();
    return slice_[static_cast<std::size_t>(p.offset + i * columns + j)];
}

void HandWeights::fill(const std::string& name, double value) {
    const ParameterInfo& p = layout_.parameters()[static_cast<std::size_t>(layout_.index(name))];
    std::fill_n(slice_.begin() + p.offset, p.count, value);
}

void HandWeights::answer(const std::string& mixer_parameter, std::int64_t row, const std::vector<double>& values) {
    for (std::size_t v = 0; v < values.size(); ++v)
        at(of_mixer(mixer_parameter), row, static_cast<std::int64_t>(v)) = values[v] / gain_;
}

void HandWeights::answer(const std::string& mixer_parameter, std::int64_t row, double value) {
    answer(mixer_parameter, row, std::vector<double>(static_cast<std::size_t>(config_.vocab_size), value));
}

}  // namespace whorl
