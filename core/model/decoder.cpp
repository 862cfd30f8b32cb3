#include "core/model/decoder.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace whorl {
namespace {

/// A carried tensor's first `rows` of positions, all that is in use.
void copy_rows(const Tensor& from, const Tensor& to, std::int64_t rows) {
    if (from) std::memcpy(to.data, from.data, static_cast<std::size_t>(rows * from.stride[2]) * size_of(from.dtype));
}

}  // namespace

Decoder::Decoder(LanguageModel& model, Backend& backend, const Tensor& parameters, std::int64_t capacity)
    : model_(model), backend_(backend), parameters_(parameters), capacity_(capacity) {
    model_.bind({1, 1, 1, 1, false, capacity, false, true});
    const std::int32_t only = 0;
    backend_.upload(model_.supervision().row_of, &only, sizeof only);
}

void Decoder::copy(const State& from, State& to) const {
    if (backend_.device() != Device::cpu) throw std::logic_error("Decoder::copy: states of a host only");
    for (std::size_t i = 0; i < from.layers.size(); ++i) {
        const MixerState &source = from.layers[i], &target = to.layers[i];
        // A cache has a row for each position, of which those that were read are filled; other states have one row.
        copy_rows(source.mixer, target.mixer, std::clamp<std::int64_t>(from.position, 1, source.mixer.shape[2]));
        copy_rows(source.conv, target.conv, source.conv.shape[2]);
    }
    to.position = from.position;
}

const std::vector<double>& Decoder::feed(State& state, std::int32_t token) {
    backend_.upload(model_.tokens(), &token, sizeof token);
    model_.forward(parameters_, &state);
    logits_ = download_logits(backend_, model_, 1);
    return logits_;
}

std::vector<double> download_logits(Backend& backend, const LanguageModel& model, std::int64_t rows) {
    const Tensor& logits = model.logits();
    const std::int64_t stride = logits.row_stride(), vocabulary = logits.features();
    std::vector<std::byte> bytes(static_cast<std::size_t>(rows * stride) * size_of(model.dtype()));
    backend.download(bytes.data(), logits, static_cast<std::int64_t>(bytes.size()));
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(rows * vocabulary));
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t v = 0; v < vocabulary; ++v) {
            const std::int64_t at = row * stride + v;
            values.push_back(model.dtype() == DType::f64
                                 ? reinterpret_cast<const double*>(bytes.data())[at]
                                 : static_cast<double>(reinterpret_cast<const float*>(bytes.data())[at]));
        }
    return values;
}

}  // namespace whorl
