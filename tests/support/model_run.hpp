// A whole model with random weights, tokens and targets: one object runs forward, gradients and optimizer steps on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/language_model.hpp"
#include "core/model/registry.hpp"
#include "core/training/step_queue.hpp"

namespace whorl::test {

/// A small model of a preset: every size odd or no power of two where the preset allows.
ModelConfig small_preset(const std::string& name, std::int64_t n_layer = 2);
/// One layer of d_model 12 around a mixer.
ModelConfig one_layer(const MixerConfig& mixer);

class ModelRun {
public:
    /// Replica r has seed `first_seed` + r, in weights and data.
    ModelRun(const ModelConfig& config, Backend& backend, DType dtype, const ModelShape& shape, FormChoice form = {},
             std::uint64_t first_seed = 1);

    /// Forward, loss, and the gradient into a zeroed buffer.
    void gradient();
    /// gradient(), its norm, and one AdamW step with clipping left out; leaves the gradient zero.
    void train_step();

    std::vector<double> logits() const;  // [R·slots·V]
    std::vector<double> slice_of(const Tensor& buffer, std::int64_t replica) const;
    /// The gradient (or value) of one parameter of replica 0.
    std::vector<double> parameter_part(const Tensor& buffer, const std::string& name) const;
    double loss(std::int64_t replica = 0) const;
    /// Of the gradient in the last train_step.
    double gradient_norm(std::int64_t replica);
    void upload_parameters(std::int64_t replica, const std::vector<double>& slice);

    LanguageModel model;
    Tensor parameters, gradients, first_moment, second_moment, mask;

private:
    Tensor slices(Buffer& memory, std::int64_t replicas, DType dtype, std::int64_t width);
    void fill(std::uint64_t first_seed);
    void fill_data(std::uint64_t first_seed);

    Backend& backend_;
    ModelShape shape_;
    Buffer memory_[6];
    Tensor scratch_;
    StepQueue numbers_;
    std::int64_t steps_ = 0;  // taken
};

/// Tokens of replica r: uniform over the vocabulary, keyed by seed.
std::vector<std::int32_t> random_tokens(std::uint64_t seed, std::int64_t count, std::int64_t vocabulary);

}  // namespace whorl::test
