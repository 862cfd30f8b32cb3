// A trace beside the whole sequence's forward pass in double, from which it must not differ.
#pragma once

#include <string>
#include <vector>

#include "core/model/language_model.hpp"
#include "core/trace/reading.hpp"

namespace whorl::test {

/// The whole sequence at once, with logits of every position.
class WholeRun {
public:
    WholeRun(const ModelConfig& config, const std::vector<double>& slice, const std::vector<std::int32_t>& tokens);

    std::vector<double> logits() const;  // [L,V]
    MixerPass pass(std::int64_t layer) const { return model_.last_pass(static_cast<std::size_t>(layer), parameters_); }

private:
    std::unique_ptr<Backend> backend_;
    LanguageModel model_;
    Buffer memory_;
    Tensor parameters_;
};

/// A model with weights, and tokens for it.
struct Subject {
    std::string name;
    ModelConfig config;
    std::vector<double> slice;
    std::vector<std::int32_t> tokens;
    std::vector<double> expected;  // logits [L,V] by someone else; may be empty
};

/// The golden files (their first sequences), whose logits an independent script made.
std::vector<Subject> golden_subjects();
/// Two layers of every preset with weights drawn at random.
std::vector<Subject> preset_subjects();

}  // namespace whorl::test
