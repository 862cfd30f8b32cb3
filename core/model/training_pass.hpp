// A batch with its loss and gradient: what training asks of a model. There are two ways through it:
// operation after operation over the whole batch, as suits a GPU and large models; or, on the CPU, the batch in parts
// of a few sequences, each of which runs through the whole model on one processor and stays in its cache.
#pragma once

#include <memory>

#include "core/model/language_model.hpp"

namespace whorl {

class TrainingPass {
public:
    virtual ~TrainingPass() = default;

    /// Prepares for `shape`, whose slots are shared out evenly: slot m belongs to sequence m / (slots / batch).
    /// Allocates only where more memory is needed than any earlier shape took.
    virtual void bind(const ModelShape& shape) = 0;
    const ModelShape& shape() const { return shape_; }
    /// Bytes that binding takes in all, parameters and their gradient not counted. Allocates nothing large.
    virtual std::int64_t bytes(const ModelShape& shape) const = 0;
    /// Bytes of these that stay taken while the model that the pass was made with is bound to another shape.
    virtual std::int64_t bytes_beside(const ModelShape& shape) const = 0;
    /// Bytes taken now.
    virtual std::int64_t memory_size() const = 0;

    /// Inputs and results of the bound shape, as LanguageModel has them.
    const Tensor& tokens() const { return tokens_; }
    const Supervision& supervision() const { return supervision_; }
    const LossTensors& losses() const { return losses_; }

    /// Loss, hits and used slots of every replica; adds the gradient of its mean loss to `gradient` [R,1,1,slice].
    virtual void gradient(const Tensor& parameters, const Tensor& gradient, double label_smoothing = 0) = 0;

protected:
    ModelShape shape_;
    Tensor tokens_;
    Supervision supervision_;
    LossTensors losses_;
};

/// The way that suits backend and model. The choice does not depend on threads, so that results do not. The pass may
/// bind `model`, which must outlive it.
std::unique_ptr<TrainingPass> make_training_pass(LanguageModel& model, Backend& backend);

/// The batch in parts, on `threads` processors (core/model/parts_pass.cpp).
std::unique_ptr<TrainingPass> make_parts_pass(const ModelConfig& config, int threads, DType dtype, FormChoice form);
/// Elements of a replica's slice up to which the partial gradients of the parts are no burden.
inline constexpr std::int64_t kLargestSliceInParts = std::int64_t{1} << 18;

}  // namespace whorl
