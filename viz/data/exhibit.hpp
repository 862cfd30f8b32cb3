// A model to look at: its weights, what it is called, and the task that gives its tokens a meaning.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/model_config.hpp"
#include "tasks/registry.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

struct Exhibit {
    std::string name;   // as a title says it: "Mamba-3"
    std::string about;  // where the weights are from: "hand-set weights", "runs/parity, replica 3"
    ModelConfig config;
    std::vector<double> slice;  // as ParameterLayout(config) lays it out
    std::optional<Task> task;
};

/// What figures call a mixer: "Mamba-3", "Mamba-2", "Gated DeltaNet", "attention".
std::string mixer_title(const MixerConfig& mixer);
plot::Role role_of(const MixerConfig& mixer);

/// The first layer that is not attention; 0 when there is none.
std::int64_t first_recurrent_layer(const ModelConfig& config);
/// Name and role of a model go by that layer.
std::string title_of(const ModelConfig& config);
plot::Role role_of(const ModelConfig& config);

/// How the exhibit's task writes a token; its number where there is no task or the task has no such token.
std::string text_of(const Exhibit& exhibit, std::int32_t token);

/// Throws UserError for a token that the model does not have: a text may be another model's, its task one by --task.
void check_known(const Exhibit& exhibit, const std::vector<std::int32_t>& tokens);

}  // namespace whorl::viz
