// Examples of a task in a file, for models from elsewhere, and what such a model answered: scored as `whorl eval`
// scores.
#pragma once

#include <string>
#include <vector>

#include "core/training/metrics.hpp"
#include "tasks/registry.hpp"

namespace whorl {

/// Which examples: `count` of each range of sizes. They are those that an evaluation with that seed asks for, where the
/// ranges are single sizes and the split is not training's; of that they are the step's.
struct ExampleRequest {
    Task task;
    Split split = Split::test;
    std::int64_t seed = 0, step = 0, count = 0;
    std::vector<SizeRange> sizes;

    SampleKey key(std::size_t range, std::int64_t index) const;
};

/// Writes safetensors: `tokens` and `targets` i32 [examples, length], filled up with 0 and -1, and `sizes` i32
/// [examples], the size of each; with the request and the task's version as metadata. Returns `length`. Throws
/// UserError where they are too many.
std::int64_t write_examples(const std::string& path, const ExampleRequest& request);

/// The request that a file was written for. Throws UserError unless the file holds, byte for byte, what this build
/// would write: another version of the task or changed examples are no measure.
ExampleRequest read_examples(const std::string& path);

enum class AnswerKind { logits, predictions };

/// What an evaluation of those examples says of the answers in `answers`: safetensors with `logits` [examples, length,
/// V] of any floating type, or `predictions` [examples, length] of whole numbers, or either with one row for each
/// target in order, [targets, V] or [targets]. The likeliest token counts, the first of equals. Predictions have no
/// loss: it is NaN, and there are no bits. Throws UserError for other shapes, for fewer than the task's tokens, and for
/// a request of ranges of sizes.
Evaluation score_answers(const ExampleRequest& request, const std::string& answers, AnswerKind kind);

}  // namespace whorl
