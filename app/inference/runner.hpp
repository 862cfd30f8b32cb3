// One trained model, ready to be asked: logits of whole sequences, or token after token.
#pragma once

#include <functional>
#include <vector>

#include "app/inference/tokens.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/model/language_model.hpp"

namespace whorl {

class ModelRunner {
public:
    ModelRunner(const LoadedModel& loaded, Backend& backend, DType dtype);

    const ModelConfig& config() const { return model_.config(); }

    /// Bytes of the device's memory that `logits` takes for the batch, parameters not counted. Allocates nothing large.
    std::int64_t logits_memory(const TokenBatch& batch) const;
    /// Logits of every position, handed over in the order of the sequences: `take(values)` gets [sequences, length, V]
    /// at a time.
    void logits(const TokenBatch& batch, const std::function<void(const std::vector<double>&)>& take);

    /// Starts a sequence that may grow to `capacity` tokens.
    void start(std::int64_t capacity);
    /// Feeds one token; returns the logits [V] behind it.
    const std::vector<double>& feed(std::int32_t token);

private:
    std::int64_t group_of(const TokenBatch& batch) const;
    void upload_rows(const TokenBatch& batch, std::int64_t first, std::int64_t count);
    std::vector<double> download_logits(std::int64_t rows) const;

    Backend& backend_;
    DType dtype_;
    LanguageModel model_;
    Buffer memory_;
    Tensor parameters_;
    State state_;
    std::vector<double> last_;
};

}  // namespace whorl
