#include "viz/data/state_bytes.hpp"

#include <memory>

#include "core/backend/factories.hpp"
#include "core/model/language_model.hpp"

namespace whorl::viz {
namespace {

std::int64_t elements(const Tensor& tensor) {
    if (tensor.data == nullptr) return 0;
    return tensor.shape[0] * tensor.shape[1] * tensor.shape[2] * tensor.shape[3];
}

}  // namespace

std::int64_t state_bytes(const ModelConfig& config, std::int64_t tokens) {
    const std::unique_ptr<Backend> processor = make_cpu_backend(1);
    const LanguageModel model(config, *processor, DType::f32);
    const State state = model.make_state(1, 1, tokens);
    std::int64_t numbers = 0;
    for (const MixerState& layer : state.layers) numbers += elements(layer.mixer) + elements(layer.conv);
    return numbers * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace whorl::viz
