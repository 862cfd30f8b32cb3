// Trained models on a device with nothing that training needs: no gradient, no moments.
#pragma once

#include <string>
#include <vector>

#include "core/training/evaluation.hpp"

namespace whorl {

class TrainedModels {
public:
    /// `parameters`: flat slices (ParameterLayout), one model after the other; at least one.
    TrainedModels(const ModelConfig& config, const std::vector<float>& parameters, Backend& backend);

    std::int64_t count() const { return parameters_.replicas(); }
    /// See evaluation.hpp; `positions` of each model at most run at once, or one sequence.
    Evaluation evaluate(const DataSource& data, Split split, const EvaluationConfig& on, std::int64_t positions,
                        bool per_position = false) {
        return whorl::evaluate({model_, parameters_, backend_, positions}, data, split, on, per_position);
    }

    /// Throws UserError, beginning with `where`, for the first size whose evaluation the memory does not hold.
    void check_memory(const DataSource& data, const EvaluationConfig& on, std::int64_t positions,
                      const std::string& where) const;

private:
    Backend& backend_;
    LanguageModel model_;
    Buffer memory_;
    Tensor parameters_;  // [R,1,1,slice]
};

}  // namespace whorl
