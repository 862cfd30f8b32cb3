#include "viz/data/exhibit.hpp"

#include "core/base/error.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::viz {
namespace {

struct Titles {
    std::string operator()(const Mamba3Config& config) const { return config.mimo ? "Mamba-3 MIMO" : "Mamba-3"; }
    std::string operator()(const Mamba2Config&) const { return "Mamba-2"; }
    std::string operator()(const GatedDeltaNetConfig&) const { return "Gated DeltaNet"; }
    std::string operator()(const AttentionConfig&) const { return "attention"; }
};

struct Roles {
    plot::Role operator()(const Mamba3Config&) const { return plot::Role::mamba3; }
    plot::Role operator()(const Mamba2Config&) const { return plot::Role::mamba2; }
    plot::Role operator()(const GatedDeltaNetConfig&) const { return plot::Role::gated_delta_net; }
    plot::Role operator()(const AttentionConfig&) const { return plot::Role::attention; }
};

const MixerConfig& naming_mixer(const ModelConfig& config) {
    return config.layers.at(static_cast<std::size_t>(first_recurrent_layer(config)));
}

}  // namespace

std::string mixer_title(const MixerConfig& mixer) {
    return std::visit(Titles{}, mixer);
}

plot::Role role_of(const MixerConfig& mixer) {
    return std::visit(Roles{}, mixer);
}

std::int64_t first_recurrent_layer(const ModelConfig& config) {
    for (std::size_t i = 0; i < config.layers.size(); ++i)
        if (!std::holds_alternative<AttentionConfig>(config.layers[i])) return static_cast<std::int64_t>(i);
    return 0;
}

std::string title_of(const ModelConfig& config) {
    const MixerConfig& mixer = naming_mixer(config);
    return std::holds_alternative<AttentionConfig>(mixer) ? "Transformer" : mixer_title(mixer);
}

plot::Role role_of(const ModelConfig& config) {
    return role_of(naming_mixer(config));
}

std::string text_of(const Exhibit& exhibit, std::int32_t token) {
    if (exhibit.task && token < make_data_source(*exhibit.task)->vocabulary())
        return plot::literal(token_text(*exhibit.task, token));
    return std::to_string(token);
}

void check_known(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens) {
    const std::int64_t vocabulary = exhibit.config.vocab_size;
    for (const std::int32_t token : tokens)
        if (token < 0 || token >= vocabulary)
            throw UserError(exhibit.name + ": has the tokens 0.." + std::to_string(vocabulary - 1) +
                            "; this text needs token " + std::to_string(token));
}

}  // namespace whorl::viz
