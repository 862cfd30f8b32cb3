// A released checkpoint → a Whorl model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/model_config.hpp"

namespace whorl::interchange {

/// Rows of the vocabulary that only pad it.
enum class VocabularyPadding { slice, keep };

struct ImportOptions {
    std::string config_path;                  // instead of the config.json beside the weights
    std::optional<AActivation> a_activation;  // of Mamba-3 layers, where the config does not say it
    VocabularyPadding vocabulary = VocabularyPadding::slice;
};

struct ImportedModel {
    ModelConfig config;
    std::vector<double> slice;       // as ParameterLayout(config) lays it out
    std::vector<std::string> notes;  // one line for each thing that was decided: slicing, padding, a tied head
};

/// Reads a checkpoint of the Mamba release (Mamba-2, Mamba-3, either with softmax attention in some layers) or of the
/// Gated DeltaNet release. Every tensor must be accounted for and every config key understood. Throws UserError, one
/// line: file, key or tensor, what was expected.
ImportedModel import_model(const std::string& source, const ImportOptions& options);

}  // namespace whorl::interchange
