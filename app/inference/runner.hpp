// One trained model, ready to be asked: logits of whole sequences, or of a prompt and then token after token.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "app/inference/tokens.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/model/decoder.hpp"
#include "core/model/piece_reader.hpp"

namespace whorl {

/// A prompt that is read, and how far the sequence may grow.
struct Prompt {
    const std::vector<std::int32_t>& tokens;
    std::int64_t capacity = 0;  // tokens in all
    bool every = false;         // logits behind every token are asked for, or behind the last alone
    std::int64_t piece = 0;     // tokens at a time (piece_reader.hpp); 0: the device's
};

class ModelRunner {
public:
    ModelRunner(const LoadedModel& loaded, Backend& backend, DType dtype);

    const ModelConfig& config() const { return model_.config(); }

    /// Bytes of the device's memory that `logits` takes for the batch, parameters not counted. Allocates nothing large.
    std::int64_t logits_memory(const TokenBatch& batch, std::int64_t piece) const;
    /// Logits of every position. `take(row, values)` gets values [rows, V] of the rows from b·length + t on, at least
    /// once a piece.
    void logits(const TokenBatch& batch, std::int64_t piece,
                const std::function<void(std::int64_t, const std::vector<double>&)>& take);

    /// Bytes that `read` and what follows it take, as above.
    std::int64_t decoding_memory(const Prompt& prompt) const;
    /// Starts a sequence with the prompt. After each piece `take(read, values)` gets the number of tokens read, and the
    /// logits [rows, V] behind the last of them that were asked for.
    void read(const Prompt& prompt, const std::function<void(std::int64_t, const std::vector<double>&)>& take);
    /// Starts a sequence that may grow to `capacity` tokens.
    void start(std::int64_t capacity);
    /// Feeds one token; returns the logits [V] behind it.
    const std::vector<double>& feed(std::int32_t token);

private:
    ReadShape logits_shape(const TokenBatch& batch, std::int64_t count, std::int64_t piece) const;
    ReadShape prompt_shape(const Prompt& prompt) const;
    std::int64_t group_of(const TokenBatch& batch, std::int64_t piece) const;

    Backend& backend_;
    LanguageModel model_;
    Buffer memory_;
    Tensor parameters_;
    std::optional<Decoder> decoder_;
    State state_;
};

}  // namespace whorl
