// Long sequences, read piece after piece: each piece continues from the state that the one before it left, so that
// memory does not grow with the length (but for attention's cache, and one number a token).
#pragma once

#include <vector>

#include "core/model/language_model.hpp"

namespace whorl {

/// Sequences, of which some rows' logits are asked for.
struct ReadShape {
    std::int64_t replicas = 1, batch = 1, length = 1;
    std::int64_t slots = 1;  // rows asked for at most, shared out evenly among the sequences
    std::int64_t piece = 1;  // positions at a time

    /// In one go, with no state: what every shape comes to whose piece holds the length.
    bool whole() const { return piece >= length; }
    /// What the model is bound to for `positions` of each sequence, beside a state that may hold `context` others.
    ModelShape bound(std::int64_t positions, std::int64_t context) const;
};

/// Positions at a time where nobody chose: few enough for a processor's caches, and enough to fill a GPU.
std::int64_t default_piece(Device device);

/// `piece` (0: default_piece), or the whole length where the model carries no state because it stores bf16.
std::int64_t piece_for(const LanguageModel& model, Device device, std::int64_t piece, std::int64_t length);

/// Bytes on the device that reading takes, parameters not counted. Allocates nothing large.
std::int64_t reading_bytes(const LanguageModel& model, const ReadShape& shape);

/// Whether the work for a position grows with the positions before it.
bool has_attention(const ModelConfig& config);

/// Sequences on the host: position t of sequence b is tokens[b·stride + t]. All replicas read the same. Rows asked for
/// are b·length + t, -1 for none; those of a sequence stand together, in order. `target` may be null.
struct ReadBatch {
    const std::int32_t* tokens = nullptr;
    std::int64_t stride = 0;
    const std::int32_t *row_of = nullptr, *target = nullptr;
};

class PieceReader {
public:
    /// Binds `model`, which nobody else may bind while this reads. Carries a state of its own where one is needed, or
    /// goes on from `state`, whose capacity must suffice. All must outlive the reader.
    PieceReader(LanguageModel& model, Backend& backend, const Tensor& parameters, const ReadShape& shape,
                State* state = nullptr);
    PieceReader(const PieceReader&) = delete;
    PieceReader& operator=(const PieceReader&) = delete;

    /// Begins other sequences of the same shape. The arrays must stay until they are read.
    void start(const ReadBatch& batch);
    /// Reads the next piece; false when nothing is left. Without a state of the caller's, what stands behind the last
    /// row asked for is not read.
    bool next();
    /// Positions of each sequence that were read.
    std::int64_t position() const { return begin_; }
    /// After next: for each row of the model's logits the slot that asked for it, or -1.
    const std::vector<std::int64_t>& slots() const { return slots_; }
    /// Whether any did.
    bool asked() const { return asked_; }

private:
    std::int64_t last_asked() const;
    void choose_rows(std::int64_t positions);
    void upload(std::int64_t positions);

    LanguageModel& model_;
    Backend& backend_;
    Tensor parameters_;
    ReadShape shape_;
    State own_;
    State* state_;  // null: whole
    bool to_the_end_;
    std::int64_t context_;
    ReadBatch batch_;
    std::int64_t begin_ = 0, end_ = 0;
    bool asked_ = false;
    std::vector<std::int64_t> next_;                    // [batch]: slots of each sequence that are done with
    std::vector<std::int64_t> slots_;                   // [slots of the piece]
    std::vector<std::int32_t> row_of_, target_, sent_;  // sent_: as they lie on the device
};

}  // namespace whorl
