// A mixer's operation (Backend::mamba3_forward, …) by itself, on random inputs, ready to be timed.
#pragma once

#include <memory>
#include <vector>

#include "app/bench/measure.hpp"
#include "app/bench/report.hpp"
#include "core/model/mixers/mixer.hpp"
#include "core/training/population.hpp"

namespace whorl {

enum class MixerUse { forward, training, update };  // from nothing; with a backward pass; from a carried state

class MixerCase {
public:
    /// `config` has one layer. Several sets of inputs when one would stay in a GPU's cache: calls take turns.
    MixerCase(Backend& backend, const ModelConfig& config, const BatchShape& shape, FormChoice form, MixerUse use);

    /// The operation once, or forward and backward.
    RecordedTiming time(double seconds);
    /// What one such call does: the operations of the definition, and the bytes of all inputs and outputs, or of the
    /// state, read and written.
    BenchWork work() const;
    /// Which form and chunk length the backend takes.
    FormChoice chosen_form() const;

private:
    struct Inputs {
        std::unique_ptr<Mixer> values, gradients;  // they know how the operation's tensors lie in memory
        Tensor state;
    };
    void plan(Arena& arena);
    void call(const Inputs& inputs);

    Backend& backend_;
    const ModelConfig config_;
    const BatchShape shape_;
    const FormChoice form_;
    const MixerUse use_;
    ParameterLayout layout_;
    Population population_;
    std::vector<Inputs> sets_;
    Tensor saved_, scratch_;
    Buffer memory_;
};

}  // namespace whorl
