#include "app/bench/work.hpp"

#include "core/backend/backend.hpp"
#include "core/model/parameter_layout.hpp"

namespace whorl {
namespace {

double macs(const Mamba3Config& c, std::int64_t d_model, std::int64_t) {
    const double state = static_cast<double>(c.heads(d_model) * c.headdim * c.d_state);
    return state * (1 + 2 * static_cast<double>(c.rank()));
}
double macs(const Mamba2Config& c, std::int64_t d_model, std::int64_t) {
    return 3.0 * static_cast<double>(c.heads(d_model) * c.headdim * c.d_state);
}
double macs(const GatedDeltaNetConfig& c, std::int64_t, std::int64_t) {
    return 4.0 * static_cast<double>(gated_delta_state_size(c));  // decay, Sᵀk, write, read
}
double macs(const AttentionConfig& c, std::int64_t, std::int64_t length) {
    return static_cast<double>(c.num_heads * c.head_dim * (length + 1));
}

}  // namespace

double recurrence_macs(const MixerConfig& mixer, std::int64_t d_model, std::int64_t length) {
    return std::visit([&](const auto& config) { return macs(config, d_model, length); }, mixer);
}

double forward_flops_per_token(const ModelConfig& config, std::int64_t length) {
    double sum = static_cast<double>(config.vocab_size * config.d_model);
    const ParameterLayout layout(config);
    for (const ParameterInfo& p : layout.parameters())
        if (p.shape.size() >= 2 && p.name.rfind("backbone.embedding", 0) != 0 && p.name != "lm_head.weight" &&
            p.name.find("_bias") == std::string::npos)
            sum += static_cast<double>(p.count);
    for (const MixerConfig& layer : config.layers) sum += recurrence_macs(layer, config.d_model, length);
    return 2 * sum;
}

}  // namespace whorl
