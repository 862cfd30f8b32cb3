// Trained models on a device with nothing that training needs: no gradient, no moments.
#pragma once

#include <string>
#include <vector>

#include "core/training/evaluation.hpp"

namespace whorl {

class TrainedModels {
public:
    /// `parameters`: flat slices (ParameterLayout), one model after the other; at least one. `memory`: bytes that an
    /// evaluation may take; 0: nine tenths of what is free.
    TrainedModels(const ModelConfig& config, const std::vector<float>& parameters, Backend& backend,
                  std::int64_t memory = 0);

    std::int64_t count() const { return parameters_.replicas(); }
    /// See evaluation.hpp; with bits. As many models at a time as the memory holds.
    Evaluation evaluate(const DataSource& data, Split split, const EvaluationConfig& on, const EvaluationPace& pace,
                        bool per_position = false);

    /// Throws UserError, beginning with `where`, for the first size whose evaluation the memory does not hold even of
    /// one model.
    void check_memory(const DataSource& data, const EvaluationConfig& on, const EvaluationPace& pace,
                      const std::string& where) const;

private:
    std::int64_t held() const;
    std::int64_t bytes(std::int64_t models, const DataSource& data, std::int64_t size, std::int64_t count,
                       const EvaluationPace& pace) const;

    Backend& backend_;
    LanguageModel model_;
    std::int64_t most_;  // bytes; 0: what is free
    Buffer memory_;
    Tensor parameters_;  // [R,1,1,slice]
};

}  // namespace whorl
