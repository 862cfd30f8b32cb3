// From a task's examples to the tensors of a bound model.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/piece_reader.hpp"
#include "tasks/data_source.hpp"

namespace whorl {

/// Makes examples on the host and uploads them. Its memory grows with the largest shape seen, and never inside a bound
/// shape.
class BatchLoader {
public:
    explicit BatchLoader(Backend& backend) : backend_(backend) {}

    /// Prepares for batches of `shape`, at no cost when it is the same as before.
    void bind(const ModelShape& shape);

    /// Writes the example of `key` as sequence `b` of replica r. The batch's slots are shared out evenly among its
    /// sequences.
    void put(std::int64_t r, std::int64_t b, const DataSource& data, const SampleKey& key);
    /// An empty place: PAD, nothing supervised.
    void clear(std::int64_t r, std::int64_t b);
    /// To the tensors of a model or pass bound to the same shape, or to fewer replicas: then the first ones.
    void upload(const Tensor& tokens, const Supervision& supervision);

    /// Replica 0's sequences where they lie, for a model that reads them piece after piece.
    ReadBatch to_read() const { return {tokens_.data(), token_stride_, row_of_.data(), target_.data()}; }
    /// The targets of sequence b of replica 0, one for each of its slots, -1 for a slot that is not used.
    void read_targets(std::int64_t b, std::vector<std::int32_t>& targets) const;

private:
    std::int64_t length() const { return shape_.length; }
    std::int64_t slots() const { return shape_.slots / shape_.batch; }
    std::int32_t* tokens_at(std::int64_t r, std::int64_t b) {
        return tokens_.data() + (r * shape_.batch + b) * token_stride_;
    }

    Backend& backend_;
    ModelShape shape_;
    std::int64_t token_stride_ = 0, slot_stride_ = 0;  // as the device's tensors have them
    std::vector<std::int32_t> tokens_, row_of_, target_, targets_;
};

}  // namespace whorl
