#include "core/training/run_config.hpp"

#include "core/base/error.hpp"

namespace whorl {
namespace {

ModelConfig preset_model(const ModelChoice& choice, std::int64_t vocabulary, const std::string& where) {
    PresetSize size;
    size.vocab_size = vocabulary;
    size.d_model = choice.d_model.value_or(size.d_model);
    size.n_layer = choice.n_layer.value_or(size.n_layer);
    size.d_state = choice.d_state.value_or(size.d_state);
    size.headdim = choice.headdim.value_or(size.headdim);
    size.d_intermediate = choice.d_intermediate.value_or(size.d_intermediate);
    try {
        return model_preset(choice.preset.value_or("mamba3")).make(size);
    } catch (const UserError& error) {
        throw UserError(where + ": model.preset: " + error.what());
    }
}

}  // namespace

Determinism determinism_of(const TrainingConfig& config) {
    return config.curriculum.reacts() || config.data_parallel > 1 ? Determinism::same_setup : Determinism::same_replica;
}

ModelConfig model_of(const ModelChoice& choice, std::int64_t vocabulary, const std::string& where) {
    const ModelConfig config = choice.config ? *choice.config : preset_model(choice, vocabulary, where);
    validate(config, where + ": model");
    if (config.vocab_size < vocabulary)
        throw UserError(where + ": model.config.vocab_size: " + std::to_string(config.vocab_size) +
                        " is less than the task's " + std::to_string(vocabulary) + " tokens");
    return config;
}

}  // namespace whorl
