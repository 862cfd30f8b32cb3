// Writes single weights of a model by name, where the embedding is one-hot (constructed.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/parameter_layout.hpp"

namespace whorl {

class HandWeights {
public:
    /// All weights zero but these: one-hot embedding, norms of one. `config` has one layer and d_model > vocab_size.
    explicit HandWeights(const ModelConfig& config);

    /// Element (i, j) of a parameter with at most two axes longer than one.
    double& at(const std::string& name, std::int64_t i, std::int64_t j = 0);
    void fill(const std::string& name, double value);

    /// Makes row `row` of a projection of the mixer answer `values[v]` to token v: the norm turns the unit vector of a
    /// token into `gain` of it, which the weights divide out.
    void answer(const std::string& mixer_parameter, std::int64_t row, const std::vector<double>& values);
    /// The same answer to every token.
    void answer(const std::string& mixer_parameter, std::int64_t row, double value);

    std::vector<double> take() { return std::move(slice_); }

private:
    ModelConfig config_;
    ParameterLayout layout_;
    std::vector<double> slice_;
    double gain_;  // RMSNorm of a unit vector
};

/// What the layer's parameter `name` is called in full.
std::string of_mixer(const std::string& name);

}  // namespace whorl
