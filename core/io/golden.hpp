// Golden files: a model given only by a safetensors file with config, parameters, tokens, targets and the expected
// logits, loss and gradients. Checking one builds the model from its config and compares everything.
#pragma once

#include <string>
#include <vector>

#include "core/backend/backend.hpp"

namespace whorl {

/// One compared tensor: error = ‖a-b‖ / max(‖b‖, 10⁻³·G), G the largest gradient norm of the file (0 for outputs).
struct GoldenError {
    std::string name;  // "logits", "loss" or "grad.<parameter>"
    double error = 0, limit = 0;
    bool passed() const { return error <= limit; }  // false for NaN
};

struct GoldenReport {
    std::string path, model;  // model: layer types, as "mamba3 ×2"
    std::int64_t batch = 0, length = 0;
    std::vector<GoldenError> errors;
    bool passed() const;
    const GoldenError& worst() const;  // the largest error as a share of its limit
};

/// Throws UserError for a file that is no golden file or whose config, parameters and shapes do not fit together.
/// Limits: double 10⁻¹⁰; float logits 2·10⁻⁵ and gradients 10⁻⁴, both × max(1, L/256).
GoldenReport check_golden(const std::string& path, Backend& backend, DType dtype, FormChoice form = {});

}  // namespace whorl
