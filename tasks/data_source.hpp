// What the trainer asks of a task. tasks/registry.hpp makes one from a task's parameters.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "tasks/device_batch.hpp"

namespace whorl {

class DataSource {
public:
    virtual ~DataSource() = default;
    virtual std::string name() const = 0;
    virtual int version() const = 0;  // raised when the examples of a key change
    virtual std::int64_t vocabulary() const = 0;
    virtual double chance() const = 0;  // accuracy of guessing
    virtual std::int64_t min_size() const = 0;
    /// Input positions that an example of `size` needs at most.
    virtual std::int64_t positions(std::int64_t size) const = 0;
    /// Supervised positions that `length` input positions hold at most.
    virtual std::int64_t slots(std::int64_t length) const = 0;
    /// Answers that each example asks for; 0 where that depends on its length.
    virtual std::int64_t answers() const = 0;
    /// Supervised positions in a row that make one answer, which is right when all of them are (score.hpp).
    virtual std::int64_t answer_tokens() const = 0;
    /// Whether results are bits a token: what counts is how well each next token is foretold, not only the likeliest.
    virtual bool in_bits() const = 0;
    /// What the best possible predictor loses on such an example: the sum of -log p over its targets, in nats. Empty
    /// where no such predictor is known.
    virtual std::optional<double> ideal_loss(std::span<const std::int32_t> tokens,
                                             std::span<const std::int32_t> targets) const = 0;
    /// Writes the example of `key`; returns the number of input positions it fills. The view needs room for
    /// positions(key.sizes.max).
    virtual std::int64_t generate(const SampleKey& key, const SampleView& out) const = 0;
    /// Makes the same examples on the backend's device, in batches of up to `length` positions; null where only the
    /// host can.
    virtual std::unique_ptr<DeviceBatch> on_device(Backend& backend, std::int64_t length) const = 0;
};

}  // namespace whorl
