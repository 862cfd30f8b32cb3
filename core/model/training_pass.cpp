#include "core/model/training_pass.hpp"

namespace whorl {
namespace {

class WholePass final : public TrainingPass {
public:
    WholePass(LanguageModel& model, const Backend& backend) : model_(model), packs_(backend.packs_batches()) {}

    std::int64_t bytes(const ModelShape& shape) const override { return model_.arena_bytes(fed(shape)); }
    std::int64_t bytes_beside(const ModelShape&) const override { return 0; }
    std::int64_t memory_size() const override { return model_.arena_size(); }

    void bind(const ModelShape& shape) override {
        model_.bind(fed(shape));
        shape_ = shape;
        tokens_ = model_.tokens();
        supervision_ = model_.supervision();
        losses_ = model_.losses();
    }
    void gradient(const Tensor& parameters, const Tensor& gradient, double label_smoothing) override {
        model_.forward(parameters);
        model_.loss_and_gradient(parameters, gradient, label_smoothing);
    }

private:
    /// As the model is bound. Where every position may be supervised, padding stays.
    ModelShape fed(ModelShape shape) const {
        shape.packed = packs_ && shape.slots < shape.batch * shape.length;
        return shape;
    }

    LanguageModel& model_;
    bool packs_;
};

}  // namespace

std::unique_ptr<TrainingPass> make_training_pass(LanguageModel& model, Backend& backend) {
    if (backend.device() == Device::cpu && model.layout().slice() <= kLargestSliceInParts)
        return make_parts_pass(model.config(), backend.processors(), model.dtype(), model.form());
    return std::make_unique<WholePass>(model, backend);
}

}  // namespace whorl
