#include "app/interchange/example_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/safetensors.hpp"
#include "core/io/stored_convert.hpp"
#include "core/numerics/activations.hpp"
#include "core/training/evaluation.hpp"
#include "core/training/score.hpp"
#include "tasks/example.hpp"

namespace whorl {

template <class V>
void describe(V& v, SizeRange& c) {
    v.field("min", c.min, range(1, kLargestTaskSize).required());
    v.field("max", c.max, range(1, kLargestTaskSize).required());
    v.require(c.min <= c.max, "min", "must not exceed 'max'");
}

namespace {

constexpr const char* kKind = "whorl examples";
constexpr std::int64_t kMostNumbers = std::int64_t{1} << 31;

/// The metadata: all of it, so that the examples can be made again.
struct StoredRequest {
    std::string kind = kKind;
    std::int64_t version = 0;
    std::string split;
    std::int64_t seed = 0, step = 0, count = 0;
    std::vector<SizeRange> sizes;
    Value task;
};

template <class V>
void describe(V& v, StoredRequest& c) {
    v.field("kind", c.kind, required());
    v.require(c.kind == kKind, "kind", std::string("expected '") + kKind + "', a file of `whorl sample --out`");
    v.field("version", c.version, required());
    v.field("split", c.split, required());
    v.field("seed", c.seed, at_least(0).required());
    v.field("step", c.step, at_least(0).required());
    v.field("count", c.count, at_least(1).required());
    v.field("sizes", c.sizes, required());
    v.field("task", c.task, required());
    v.require(!c.sizes.empty(), "sizes", "lists none");
}

/// Examples below each other.
struct Rows {
    std::int64_t length = 0;
    std::vector<std::int32_t> tokens, targets, sizes;
};

/// The smallest size of the range that has so many positions.
std::int64_t size_with(const DataSource& data, const SizeRange& sizes, std::int64_t positions) {
    std::int64_t size = sizes.min;
    while (size < sizes.max && data.positions(size) < positions) ++size;
    return size;
}

Rows rows_of(const ExampleRequest& request, const DataSource& data) {
    Rows rows;
    for (const SizeRange& sizes : request.sizes) rows.length = std::max(rows.length, data.positions(sizes.max));
    const auto ranges = static_cast<std::int64_t>(request.sizes.size());
    if (request.count > kMostNumbers / rows.length / ranges)
        throw UserError(fmt::format("{} examples of up to {} positions are too many for one file; ask for {} at most",
                                    request.count * ranges, rows.length, kMostNumbers / rows.length / ranges * ranges));
    for (std::size_t range = 0; range < request.sizes.size(); ++range)
        for (std::int64_t i = 0; i < request.count; ++i) {
            const Example example = make_example(data, request.key(range, i));
            const auto used = static_cast<std::int64_t>(example.tokens.size());
            rows.tokens.insert(rows.tokens.end(), example.tokens.begin(), example.tokens.end());
            rows.targets.insert(rows.targets.end(), example.targets.begin(), example.targets.end());
            rows.tokens.resize(rows.tokens.size() + static_cast<std::size_t>(rows.length - used), kPad);
            rows.targets.resize(rows.tokens.size(), kUnsupervised);
            rows.sizes.push_back(static_cast<std::int32_t>(size_with(data, request.sizes[range], used)));
        }
    return rows;
}

StoredRequest stored(const ExampleRequest& request) {
    return {kKind,
            version_of_task(request.task),
            split_name(request.split),
            request.seed,
            request.step,
            request.count,
            request.sizes,
            to_value(request.task)};
}

// --- answers ---------------------------------------------------------------------------------------------------------

std::string shape_text(const std::vector<std::int64_t>& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

bool is_floating(StoredType type) {
    return type == StoredType::f64 || type == StoredType::f32 || type == StoredType::f16 || type == StoredType::bf16;
}

/// A model's answers at the targets, read one row at a time.
class AnswerFile {
public:
    AnswerFile(const std::string& path, AnswerKind kind, std::int64_t vocabulary)
        : file_(SafetensorsFile::open(path)),
          kind_(kind),
          stored_(file_.at(kind == AnswerKind::logits ? "logits" : "predictions")) {
        if ((kind == AnswerKind::logits) != is_floating(stored_.type))
            refuse(fmt::format("is of type {}; expected {}", name_of(stored_.type),
                               kind == AnswerKind::logits ? "a floating type" : "whole numbers"));
        if (kind == AnswerKind::predictions) return;
        width_ = stored_.shape.empty() ? 0 : stored_.shape.back();
        if (width_ < vocabulary)
            refuse(fmt::format("has the shape {}: the task has {} tokens, so the last axis must not be shorter",
                               shape_text(stored_.shape), vocabulary));
    }

    /// Checks the shape; `targets` of the examples × length positions are asked for.
    void fit(std::int64_t examples, std::int64_t length, std::int64_t targets) {
        std::vector<std::int64_t> rows = stored_.shape;
        if (kind_ == AnswerKind::logits) rows.pop_back();
        every_ = rows == std::vector{examples, length};
        if (every_ || rows == std::vector{targets}) return;
        const char* last = kind_ == AnswerKind::logits ? ", vocabulary" : "";
        refuse(fmt::format("has the shape {}; expected [{}, {}{}], or [{}{}] for the targets alone",
                           shape_text(stored_.shape), examples, length, last, targets, last));
    }
    /// Goes to position `at` (example · length + t), the next target.
    void next(std::int64_t at) {
        const std::int64_t row = every_ ? at : done_;
        ++done_;
        bytes_.resize(static_cast<std::size_t>(width_) * byte_size(stored_.type));
        file_.read_bytes(stored_, static_cast<std::uint64_t>(row) * bytes_.size(), bytes_);
        const std::string where = file_.path() + ": " + stored_.name;
        if (kind_ == AnswerKind::logits) {
            logits_.resize(static_cast<std::size_t>(width_));
            convert<float>(stored_.type, bytes_, logits_, where);
        } else {
            convert<std::int32_t>(stored_.type, bytes_, std::span(&predicted_, 1), where);
        }
    }
    std::int32_t prediction() const {
        if (kind_ == AnswerKind::predictions) return predicted_;
        return static_cast<std::int32_t>(std::max_element(logits_.begin(), logits_.end()) - logits_.begin());
    }
    /// -log p of the token; NaN of predictions.
    double loss(std::int32_t token) const {
        if (kind_ == AnswerKind::predictions) return std::numeric_limits<double>::quiet_NaN();
        const double highest = *std::max_element(logits_.begin(), logits_.end());
        double sum = 0;
        for (const float logit : logits_) sum += numerics::exp(logit - highest);
        return highest + numerics::log(sum) - logits_[static_cast<std::size_t>(token)];
    }

private:
    [[noreturn]] void refuse(const std::string& what) const { refuse_file(file_.path(), stored_.name + " " + what); }

    SafetensorsFile file_;
    AnswerKind kind_;
    StoredTensor stored_;
    std::int64_t width_ = 1, done_ = 0;
    bool every_ = false;
    std::vector<std::byte> bytes_;
    std::vector<float> logits_;
    std::int32_t predicted_ = 0;
};

/// The sums of one size.
struct SizeScore {
    Score score;
    PositionHits hits;
    double loss = 0, right = 0, tokens = 0;

    void add(std::span<const std::int32_t> targets, std::int64_t first, std::int64_t answer_tokens, AnswerFile& file) {
        std::vector<std::int32_t> asked, predicted;
        for (std::size_t t = 0; t < targets.size(); ++t) {
            if (targets[t] < 0) continue;
            file.next(first + static_cast<std::int64_t>(t));
            asked.push_back(targets[t]), predicted.push_back(file.prediction());
            loss += file.loss(targets[t]);
            right += asked.back() == predicted.back() ? 1 : 0;
        }
        tokens += static_cast<double>(asked.size());
        add_example(score, asked, predicted, answer_tokens);
        hits.add(asked, predicted);
    }
};

EvaluationConfig evaluation_of(const ExampleRequest& request, const std::string& file) {
    EvaluationConfig on{{}, request.count, request.seed};
    for (const SizeRange& sizes : request.sizes) {
        if (sizes.min != sizes.max || request.split == Split::train)
            throw UserError(one_line(file + ": holds " +
                                     (request.split == Split::train ? "training examples" : "examples of mixed sizes") +
                                     "; scores are of single sizes of the test or validation split (whorl sample "
                                     "--split test --lengths)"));
        on.sizes.push_back(sizes.max);
    }
    return on;
}

}  // namespace

SampleKey ExampleRequest::key(std::size_t range, std::int64_t index) const {
    return {static_cast<std::uint64_t>(seed), split,
            static_cast<std::uint64_t>(split == Split::train ? step : sizes[range].max),
            static_cast<std::uint64_t>(index), sizes[range]};
}

std::int64_t write_examples(const std::string& path, const ExampleRequest& request) {
    const Rows rows = rows_of(request, *make_data_source(request.task));
    const auto examples = static_cast<std::int64_t>(rows.sizes.size());
    const TensorView tensors[] = {tensor_view<std::int32_t>("tokens", {examples, rows.length}, rows.tokens),
                                  tensor_view<std::int32_t>("targets", {examples, rows.length}, rows.targets),
                                  tensor_view<std::int32_t>("sizes", {examples}, rows.sizes)};
    write_safetensors(path, tensors, {{"examples", write_json(to_value(stored(request)))}});
    return rows.length;
}

ExampleRequest read_examples(const std::string& path) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    const std::string source = file.path() + ": __metadata__.examples";
    const auto found = read_config<StoredRequest>(parse_json(file.metadata_at("examples"), source));
    ExampleRequest request{read_task(found.task, Place{&source, "task"}),
                           split_named(found.split, source),
                           found.seed,
                           found.step,
                           found.count,
                           found.sizes};
    if (found.version != version_of_task(request.task))
        throw UserError(fmt::format("{}: examples of version {} of {}; this build makes version {}", one_line(path),
                                    found.version, name_of_task(request.task), version_of_task(request.task)));
    for (const SizeRange& sizes : request.sizes)
        for (const std::int64_t size : {sizes.min, sizes.max}) check_size(request.task, size, source + ": sizes");
    const Rows rows = rows_of(request, *make_data_source(request.task));
    if (file.read_as<std::int32_t>("tokens") != rows.tokens || file.read_as<std::int32_t>("targets") != rows.targets)
        throw UserError(one_line(path + ": its examples are not those that its metadata names: it was changed"));
    return request;
}

Evaluation score_answers(const ExampleRequest& request, const std::string& answers, AnswerKind kind) {
    const auto data = make_data_source(request.task);
    const EvaluationConfig on = evaluation_of(request, answers);
    const Rows rows = rows_of(request, *data);
    AnswerFile file(answers, kind, data->vocabulary());
    const auto examples = static_cast<std::int64_t>(rows.sizes.size());
    file.fit(examples, rows.length,
             examples * rows.length - std::count(rows.targets.begin(), rows.targets.end(), kUnsupervised));
    Evaluation result{request.split, 0, on.sizes, on.count, {}, {}};
    const bool found = has_found_share(*data);
    std::int64_t first = 0;
    for (std::size_t size = 0; size < on.sizes.size(); ++size) {
        SizeScore sums;
        for (std::int64_t i = 0; i < on.count; ++i, first += rows.length)
            sums.add(
                std::span(rows.targets).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows.length)),
                first, data->answer_tokens(), file);
        result.accuracy.push_back({sums.right / sums.tokens}), result.loss.push_back({sums.loss / sums.tokens});
        result.per_position.push_back({sums.hits.shares()});
        if (found) result.found.push_back({sums.score.found_share()});
    }
    if (kind == AnswerKind::logits) add_bits(result, *data, on);
    return result;
}

}  // namespace whorl
