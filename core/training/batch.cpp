#include "core/training/batch.hpp"

#include <algorithm>

namespace whorl {
namespace {

constexpr auto kInt = static_cast<std::int64_t>(sizeof(std::int32_t));

void upload_replicas(Backend& backend, const Tensor& to, const std::vector<std::int32_t>& from, std::int64_t replicas,
                     std::int64_t stride) {
    backend.upload(to, from.data(), replicas * stride * kInt);
}

}  // namespace

void BatchLoader::bind(const ModelShape& shape) {
    if (shape_ == shape && !tokens_.empty()) return;
    shape_ = shape;
    token_stride_ = padded(shape_.length, DType::i32);
    slot_stride_ = padded(shape_.slots, DType::i32);
    const auto size = [](std::int64_t count) { return static_cast<std::size_t>(count); };
    tokens_.assign(size(shape_.replicas * shape_.batch * token_stride_), 0);
    row_of_.assign(size(shape_.replicas * slot_stride_), -1);
    target_.assign(size(shape_.replicas * slot_stride_), 0);
    targets_.assign(size(shape_.length), -1);
}

void BatchLoader::clear(std::int64_t r, std::int64_t b) {
    std::fill_n(tokens_at(r, b), length(), 0);
    const std::int64_t first = r * slot_stride_ + b * slots();
    std::fill_n(row_of_.begin() + first, slots(), -1);
    std::fill_n(target_.begin() + first, slots(), 0);
}

void BatchLoader::put(std::int64_t r, std::int64_t b, const DataSource& data, const SampleKey& key) {
    const SampleView sample{tokens_at(r, b), targets_.data(), length()};
    data.generate(key, sample);
    const std::int64_t first = r * slot_stride_ + b * slots();
    fill_slots(sample, b * length(), {row_of_.data() + first, target_.data() + first, slots()});
}

void BatchLoader::read_targets(std::int64_t b, std::vector<std::int32_t>& targets) const {
    targets.resize(static_cast<std::size_t>(slots()));
    for (std::size_t k = 0; k < targets.size(); ++k) {
        const auto slot = static_cast<std::size_t>(b * slots()) + k;
        targets[k] = row_of_[slot] < 0 ? -1 : target_[slot];
    }
}

void BatchLoader::upload(const Tensor& tokens, const Supervision& supervision) {
    const std::int64_t replicas = tokens.replicas();
    upload_replicas(backend_, tokens, tokens_, replicas, shape_.batch * token_stride_);
    upload_replicas(backend_, supervision.row_of, row_of_, replicas, slot_stride_);
    upload_replicas(backend_, supervision.target, target_, replicas, slot_stride_);
}

}  // namespace whorl
