// A Whorl model → a file of its own, or a folder as the Mamba or Gated DeltaNet release has them.
#pragma once

#include <string>
#include <vector>

#include "core/io/checkpoint_file.hpp"

namespace whorl::interchange {

enum class ExportFormat { whorl, mamba, fla };

struct ExportResult {
    std::string path;  // of the weights
    std::vector<std::string> notes;
};

/// Writes float32. whorl: the file `out`, or model.safetensors in the folder `out` unless it ends in .safetensors.
/// mamba, fla: the folder `out`, new or empty, with model.safetensors and, last, config.json. import_model gives the
/// same bits back. Throws UserError for a model that the release cannot express.
ExportResult export_model(const LoadedModel& model, ExportFormat format, const std::string& out);

}  // namespace whorl::interchange
