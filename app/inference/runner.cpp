#include "app/inference/runner.hpp"

#include <algorithm>
#include <numeric>

#include "core/io/parameter_file.hpp"

namespace whorl {
namespace {

constexpr std::int64_t kPositionsAtOnce = 16384;  // bounds the arena, whatever the number of sequences

}  // namespace

ModelRunner::ModelRunner(const LoadedModel& loaded, Backend& backend, DType dtype)
    : backend_(backend), dtype_(dtype), model_(loaded.config, backend, dtype) {
    const std::array<std::int64_t, 4> shape{1, 1, 1, model_.layout().slice()};
    memory_ = backend.allocate(activation_bytes(shape, dtype));
    parameters_ = activation_at(memory_.data(), shape, dtype, backend.device());
    upload_slice(backend, loaded.slice, parameters_);
}

void ModelRunner::upload_rows(const TokenBatch& batch, std::int64_t first, std::int64_t count) {
    for (std::int64_t b = 0; b < count; ++b) {
        Tensor row = model_.tokens();
        row.data = reinterpret_cast<std::byte*>(row.at<std::int32_t>(0, b));
        backend_.upload(row, batch.tokens.data() + (first + b) * batch.length, batch.length * 4);
    }
    std::vector<std::int32_t> every(static_cast<std::size_t>(count * batch.length));
    std::iota(every.begin(), every.end(), 0);
    backend_.upload(model_.supervision().row_of, every.data(), static_cast<std::int64_t>(every.size()) * 4);
}

std::vector<double> ModelRunner::download_logits(std::int64_t rows) const {
    const Tensor& logits = model_.logits();
    const std::int64_t stride = logits.row_stride(), vocabulary = logits.features();
    std::vector<std::byte> bytes(static_cast<std::size_t>(rows * stride) * size_of(dtype_));
    backend_.download(bytes.data(), logits, static_cast<std::int64_t>(bytes.size()));
    std::vector<double> values;
    values.reserve(static_cast<std::size_t>(rows * vocabulary));
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t v = 0; v < vocabulary; ++v) {
            const std::int64_t at = row * stride + v;
            values.push_back(dtype_ == DType::f64
                                 ? reinterpret_cast<const double*>(bytes.data())[at]
                                 : static_cast<double>(reinterpret_cast<const float*>(bytes.data())[at]));
        }
    return values;
}

std::int64_t ModelRunner::group_of(const TokenBatch& batch) const {
    return std::clamp<std::int64_t>(kPositionsAtOnce / batch.length, 1, batch.batch);
}

std::int64_t ModelRunner::logits_memory(const TokenBatch& batch) const {
    const std::int64_t group = group_of(batch);
    return model_.arena_bytes({1, group, batch.length, group * batch.length, false});
}

void ModelRunner::logits(const TokenBatch& batch, const std::function<void(const std::vector<double>&)>& take) {
    const std::int64_t group = group_of(batch);
    for (std::int64_t first = 0; first < batch.batch; first += group) {
        const std::int64_t count = std::min(group, batch.batch - first);
        model_.bind({1, count, batch.length, count * batch.length, false});
        upload_rows(batch, first, count);
        model_.forward(parameters_);
        take(download_logits(count * batch.length));
    }
}

void ModelRunner::start(std::int64_t capacity) {
    model_.bind({1, 1, 1, 1, false, capacity});
    state_ = model_.make_state(1, 1, capacity);
    const std::int32_t only = 0;
    backend_.upload(model_.supervision().row_of, &only, sizeof only);
}

const std::vector<double>& ModelRunner::feed(std::int32_t token) {
    backend_.upload(model_.tokens(), &token, sizeof token);
    model_.forward(parameters_, &state_);
    last_ = download_logits(1);
    return last_;
}

}  // namespace whorl
