#include "core/model/piece_reader.hpp"

#include <algorithm>

namespace whorl {
namespace {

// On a processor longer pieces are slower, as rows no longer stay in its caches, and shorter ones gain little. A GPU
// spreads the chunks of a piece over its multiprocessors.
constexpr std::int64_t kProcessorPiece = 1024, kGpuPiece = 65536;

std::size_t size(std::int64_t count) {
    return static_cast<std::size_t>(count);
}

}  // namespace

ModelShape ReadShape::bound(std::int64_t positions, std::int64_t context) const {
    ModelShape bound;
    bound.replicas = replicas;
    bound.batch = batch;
    bound.length = positions;
    bound.slots = batch * std::min(slots / batch, positions);
    bound.backward = false;
    bound.context = context;
    return bound;
}

std::int64_t default_piece(Device device) {
    return device == Device::cuda ? kGpuPiece : kProcessorPiece;
}

std::int64_t piece_for(const LanguageModel& model, Device device, std::int64_t piece, std::int64_t length) {
    if (model.stored() != model.dtype()) return length;
    return std::min(piece > 0 ? piece : default_piece(device), length);
}

std::int64_t reading_bytes(const LanguageModel& model, const ReadShape& shape) {
    if (shape.whole()) return model.arena_bytes(shape.bound(shape.length, 0));
    return model.arena_bytes(shape.bound(shape.piece, shape.length)) +
           model.state_bytes(shape.replicas, shape.batch, shape.length);
}

bool has_attention(const ModelConfig& config) {
    return std::any_of(config.layers.begin(), config.layers.end(),
                       [](const auto& layer) { return std::holds_alternative<AttentionConfig>(layer); });
}

PieceReader::PieceReader(LanguageModel& model, Backend& backend, const Tensor& parameters, const ReadShape& shape,
                         State* state)
    : model_(model),
      backend_(backend),
      parameters_(parameters),
      shape_(shape),
      state_(state),
      to_the_end_(state != nullptr),
      context_(state           ? state->capacity
               : shape.whole() ? 0
                               : shape.length) {
    model_.bind(shape_.bound(std::min(shape_.piece, shape_.length), context_));
    if (state || shape_.whole()) return;
    own_ = model_.make_state(shape_.replicas, shape_.batch, shape_.length);
    state_ = &own_;
}

void PieceReader::start(const ReadBatch& batch) {
    if (state_ == &own_) model_.clear(own_);
    batch_ = batch;
    begin_ = 0;
    end_ = to_the_end_ || shape_.whole() ? shape_.length : last_asked() + 1;
    next_.assign(size(shape_.batch), 0);
}

// The last position of any sequence with a row asked for, -1 without.
std::int64_t PieceReader::last_asked() const {
    std::int64_t last = -1;
    for (std::int64_t m = 0; m < shape_.slots; ++m)
        if (batch_.row_of[m] >= 0) last = std::max<std::int64_t>(last, batch_.row_of[m] % shape_.length);
    return last;
}

bool PieceReader::next() {
    if (begin_ >= end_) return false;
    const std::int64_t positions = std::min(shape_.piece, shape_.length - begin_);
    model_.bind(shape_.bound(positions, context_));
    choose_rows(positions);
    upload(positions);
    model_.forward(parameters_, state_);
    begin_ += positions;
    return true;
}

/// Each sequence's slots come in order: those of this piece follow those of the last one.
void PieceReader::choose_rows(std::int64_t positions) {
    const std::int64_t each = shape_.slots / shape_.batch, room = model_.shape().slots / shape_.batch;
    slots_.assign(size(model_.shape().slots), -1);
    row_of_.assign(slots_.size(), -1);
    target_.assign(slots_.size(), 0);
    asked_ = false;
    for (std::int64_t b = 0; b < shape_.batch; ++b) {
        std::int64_t& k = next_[size(b)];
        for (std::int64_t to = b * room; k < each; ++k, ++to) {
            const std::int64_t slot = b * each + k, t = batch_.row_of[slot] - b * shape_.length - begin_;
            if (batch_.row_of[slot] < 0 || t >= positions) break;
            slots_[size(to)] = slot;
            row_of_[size(to)] = static_cast<std::int32_t>(b * positions + t);
            if (batch_.target) target_[size(to)] = batch_.target[slot];
            asked_ = true;
        }
    }
}

void PieceReader::upload(std::int64_t positions) {
    const std::int64_t replicas = shape_.replicas;
    const auto send = [&](const Tensor& to, std::int64_t stride, std::int64_t rows, const auto& row) {
        sent_.assign(size(replicas * rows * stride), 0);
        for (std::int64_t r = 0; r < replicas; ++r)
            for (std::int64_t i = 0; i < rows; ++i) row(i, sent_.begin() + (r * rows + i) * stride);
        backend_.upload(to, sent_.data(), static_cast<std::int64_t>(sent_.size() * sizeof(std::int32_t)));
    };
    send(model_.tokens(), model_.tokens().stride[1], shape_.batch,
         [&](std::int64_t b, auto to) { std::copy_n(batch_.tokens + b * batch_.stride + begin_, positions, to); });
    const Supervision& asked = model_.supervision();
    send(asked.row_of, asked.row_of.stride[0], 1,
         [&](std::int64_t, auto to) { std::copy(row_of_.begin(), row_of_.end(), to); });
    if (batch_.target)
        send(asked.target, asked.target.stride[0], 1,
             [&](std::int64_t, auto to) { std::copy(target_.begin(), target_.end(), to); });
}

}  // namespace whorl
