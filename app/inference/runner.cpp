#include "app/inference/runner.hpp"

#include <algorithm>
#include <numeric>

#include "core/io/parameter_file.hpp"

namespace whorl {
namespace {

constexpr std::int64_t kPositionsAtOnce = 16384;  // bounds the arena, whatever the number of sequences

}  // namespace

ModelRunner::ModelRunner(const LoadedModel& loaded, Backend& backend, DType dtype)
    : backend_(backend), model_(loaded.config, backend, dtype) {
    const std::array<std::int64_t, 4> shape{1, 1, 1, model_.layout().slice()};
    memory_ = backend.allocate(activation_bytes(shape, dtype));
    parameters_ = activation_at(memory_.data(), shape, dtype, backend.device());
    upload_slice(backend, loaded.slice, parameters_);
}

ReadShape ModelRunner::logits_shape(const TokenBatch& batch, std::int64_t count, std::int64_t piece) const {
    return {1, count, batch.length, count * batch.length, piece_for(model_, backend_.device(), piece, batch.length)};
}

std::int64_t ModelRunner::group_of(const TokenBatch& batch, std::int64_t piece) const {
    const std::int64_t at_once = has_attention(config()) ? batch.length : logits_shape(batch, 1, piece).piece;
    return std::clamp<std::int64_t>(kPositionsAtOnce / at_once, 1, batch.batch);
}

std::int64_t ModelRunner::logits_memory(const TokenBatch& batch, std::int64_t piece) const {
    return reading_bytes(model_, logits_shape(batch, group_of(batch, piece), piece));
}

void ModelRunner::logits(const TokenBatch& batch, std::int64_t piece,
                         const std::function<void(std::int64_t, const std::vector<double>&)>& take) {
    const std::int64_t group = group_of(batch, piece), vocabulary = config().vocab_size;
    for (std::int64_t first = 0; first < batch.batch; first += group) {
        const std::int64_t count = std::min(group, batch.batch - first);
        std::vector<std::int32_t> every(static_cast<std::size_t>(count * batch.length));
        std::iota(every.begin(), every.end(), 0);
        PieceReader reader(model_, backend_, parameters_, logits_shape(batch, count, piece));
        reader.start({batch.tokens.data() + first * batch.length, batch.length, every.data()});
        for (std::int64_t before = 0; reader.next(); before = reader.position()) {
            const std::vector<double> all = download_logits(backend_, model_, model_.shape().slots);
            const std::int64_t elements = (reader.position() - before) * vocabulary;
            for (std::int64_t b = 0; b < count; ++b)
                take((first + b) * batch.length + before,
                     {all.begin() + b * elements, all.begin() + (b + 1) * elements});
        }
    }
}

ReadShape ModelRunner::prompt_shape(const Prompt& prompt) const {
    const auto length = static_cast<std::int64_t>(prompt.tokens.size());
    return {1, 1, length, prompt.every ? length : 1, piece_for(model_, backend_.device(), prompt.piece, length)};
}

std::int64_t ModelRunner::decoding_memory(const Prompt& prompt) const {
    const ReadShape shape = prompt_shape(prompt);
    const ModelShape one{1, 1, 1, 1, false, prompt.capacity};
    return std::max(model_.arena_bytes(shape.bound(shape.piece, prompt.capacity)), model_.arena_bytes(one)) +
           model_.state_bytes(1, 1, prompt.capacity);
}

void ModelRunner::read(const Prompt& prompt,
                       const std::function<void(std::int64_t, const std::vector<double>&)>& take) {
    const ReadShape shape = prompt_shape(prompt);
    std::vector<std::int32_t> rows(static_cast<std::size_t>(shape.slots));
    std::iota(rows.begin(), rows.end(), static_cast<std::int32_t>(shape.length - shape.slots));
    state_ = model_.make_state(1, 1, prompt.capacity);
    {
        PieceReader reader(model_, backend_, parameters_, shape, &state_);
        reader.start({prompt.tokens.data(), shape.length, rows.data()});
        while (reader.next())
            take(reader.position(),
                 reader.asked() ? download_logits(backend_, model_, model_.shape().slots) : std::vector<double>());
    }
    decoder_.emplace(model_, backend_, parameters_, prompt.capacity);
}

void ModelRunner::start(std::int64_t capacity) {
    decoder_.emplace(model_, backend_, parameters_, capacity);
    state_ = decoder_->start();
}

const std::vector<double>& ModelRunner::feed(std::int32_t token) {
    return decoder_->feed(state_, token);
}

}  // namespace whorl
