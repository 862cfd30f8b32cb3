#include "core/training/evaluation.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/training/batch.hpp"
#include "core/training/score.hpp"
#include "tasks/example.hpp"

namespace whorl {
namespace {

// One number a replica.
std::vector<double> fetch(Backend& backend, const Tensor& from) {
    const std::int64_t stride = from.stride[0];
    std::vector<double> memory(static_cast<std::size_t>((from.replicas() - 1) * stride + 1)), numbers;
    backend.download(memory.data(), from, static_cast<std::int64_t>(memory.size() * sizeof(double)));
    for (std::size_t at = 0; at < memory.size(); at += static_cast<std::size_t>(stride)) numbers.push_back(memory[at]);
    return numbers;
}

// Logits on the host, rows as they lie on the device.
class Predictions {
public:
    Predictions(Backend& backend, const LanguageModel& model)
        : logits_(model.logits()),
          vocabulary_(model.config().vocab_size),
          memory_(static_cast<std::size_t>(logits_.replicas() * logits_.stride[0])) {
        backend.download(memory_.data(), logits_, static_cast<std::int64_t>(memory_.size() * sizeof(float)));
    }
    /// The most likely token; the first of equals, as the loss counts it.
    std::int32_t at(std::int64_t replica, std::int64_t slot) const {
        const float* row = memory_.data() + replica * logits_.stride[0] + slot * logits_.row_stride();
        return static_cast<std::int32_t>(std::max_element(row, row + vocabulary_) - row);
    }

private:
    Tensor logits_;
    std::int64_t vocabulary_;
    std::vector<float> memory_;
};

// Positions and work of an evaluation, in the order in which they are done.
class Meter {
public:
    Meter(const EvaluationPace& pace, bool squared, const DataSource& data, const EvaluationConfig& on)
        : pace_(pace), squared_(squared) {
        for (const std::int64_t size : on.sizes)
            add(on.count, bucket_length(data.positions(size)), progress_.total, work_);
        show(0, 0);
    }
    /// The first `position` positions of `count` further examples are done.
    void show(std::int64_t count, std::int64_t position) const {
        if (!pace_.progress) return;
        EvaluationProgress progress = progress_;
        double done = done_;
        add(count, position, progress.done, done);
        progress.share = done / work_;
        pace_.progress(progress);
    }
    /// All `length` positions of `count` examples are done.
    void finish(std::int64_t count, std::int64_t length) {
        add(count, length, progress_.done, done_);
        show(0, 0);
    }

private:
    void add(std::int64_t count, std::int64_t length, std::int64_t& positions, double& work) const {
        positions += count * length;
        work += static_cast<double>(count * length) * (squared_ ? static_cast<double>(length) : 1.0);
    }

    const EvaluationPace& pace_;
    bool squared_;
    EvaluationProgress progress_;
    double work_ = 0, done_ = 0;
};

// The sums of one size, and what they are taken from.
class SizeEvaluation {
public:
    SizeEvaluation(const Examinees& who, const DataSource& data, Split split, const EvaluationConfig& on,
                   bool per_position)
        : who_(who),
          data_(data),
          split_(split),
          on_(on),
          per_position_(per_position),
          found_(has_found_share(data)),
          meter_(who.pace, has_attention(who.model.config()), data, on),
          loader_(who.backend),
          replicas_(static_cast<std::size_t>(who.parameters.replicas())) {}

    void run(std::int64_t size) {
        loss_.assign(replicas_, 0.0);
        correct_ = used_ = loss_;
        score_.assign(replicas_, {});
        hits_.assign(replicas_, {});
        shape_ = evaluation_shape(who_.model, who_.backend.device(), who_.parameters.replicas(), who_.pace, data_, size,
                                  on_.count);
        loader_.bind({1, shape_.batch, shape_.length, shape_.slots});
        PieceReader reader(who_.model, who_.backend, who_.parameters, shape_);
        for (std::int64_t first = 0; first < on_.count; first += shape_.batch) {
            load(size, first);
            read(reader, std::min(shape_.batch, on_.count - first));
        }
    }

    void append_to(Evaluation& evaluation) const {
        auto &accuracy = evaluation.accuracy.emplace_back(), &loss = evaluation.loss.emplace_back();
        for (std::size_t r = 0; r < replicas_; ++r) {
            accuracy.push_back(correct_[r] / used_[r]);
            loss.push_back(loss_[r] / used_[r]);
        }
        if (found_) {
            auto& shares = evaluation.found.emplace_back();
            for (const Score& score : score_) shares.push_back(score.found_share());
        }
        if (per_position_) {
            auto& shares = evaluation.per_position.emplace_back();
            for (const PositionHits& hits : hits_) shares.push_back(hits.shares());
        }
    }

private:
    void load(std::int64_t size, std::int64_t first) {
        for (std::int64_t b = 0; b < shape_.batch; ++b) {
            const SampleKey key = evaluation_key(on_, split_, size, first + b);
            first + b < on_.count ? loader_.put(0, b, data_, key) : loader_.clear(0, b);
        }
    }

    // `examples` of the batch's sequences are some.
    void read(PieceReader& reader, std::int64_t examples) {
        const bool answers = found_ || per_position_;
        if (answers) predicted_.assign(replicas_, std::vector<std::int32_t>(static_cast<std::size_t>(shape_.slots)));
        reader.start(loader_.to_read());
        while (reader.next()) {
            meter_.show(examples, reader.position());
            if (!reader.asked()) continue;
            who_.model.evaluate_loss();
            add_sums();
            if (answers) predict(reader.slots());
        }
        meter_.finish(examples, shape_.length);
        if (answers) add_answers();
    }

    void add_sums() {
        const LossTensors& losses = who_.model.losses();
        const std::vector<double> loss = fetch(who_.backend, losses.loss), used = fetch(who_.backend, losses.used),
                                  correct = fetch(who_.backend, losses.correct);
        for (std::size_t r = 0; r < replicas_; ++r) {
            loss_[r] += loss[r] * used[r];
            correct_[r] += correct[r];
            used_[r] += used[r];
        }
    }

    // The most likely token of each row, under the slot that asked for it.
    void predict(const std::vector<std::int64_t>& slots) {
        const Predictions predictions(who_.backend, who_.model);
        for (std::size_t r = 0; r < replicas_; ++r)
            for (std::size_t m = 0; m < slots.size(); ++m)
                if (slots[m] >= 0)
                    predicted_[r][static_cast<std::size_t>(slots[m])] =
                        predictions.at(static_cast<std::int64_t>(r), static_cast<std::int64_t>(m));
    }

    void add_answers() {
        std::vector<std::int32_t> targets, predicted;
        for (std::int64_t b = 0; b < shape_.batch; ++b) {
            loader_.read_targets(b, targets);
            const auto slots = static_cast<std::ptrdiff_t>(targets.size());
            for (std::size_t r = 0; r < replicas_; ++r) {
                const auto own = predicted_[r].begin() + b * slots;
                predicted.assign(own, own + slots);
                add_example(score_[r], targets, predicted, data_.answer_tokens());
                hits_[r].add(targets, predicted);
            }
        }
    }

    const Examinees& who_;
    const DataSource& data_;
    Split split_;
    const EvaluationConfig& on_;
    bool per_position_, found_;
    Meter meter_;
    BatchLoader loader_;
    std::size_t replicas_;
    ReadShape shape_;
    std::vector<std::vector<std::int32_t>> predicted_;  // [replicas][slots]
    std::vector<double> loss_, correct_, used_;
    std::vector<Score> score_;
    std::vector<PositionHits> hits_;
};

}  // namespace

EvaluationPace EvaluationPace::part_of(std::int64_t part, std::int64_t parts) const {
    EvaluationPace pace = *this;
    if (progress)
        pace.progress = [all = progress, part, parts](const EvaluationProgress& own) {
            all({part * own.total + own.done, parts * own.total,
                 (static_cast<double>(part) + own.share) / static_cast<double>(parts)});
        };
    return pace;
}

bool has_found_share(const DataSource& data) {
    return data.answers() * data.answer_tokens() > 1;
}

Evaluation evaluate(const Examinees& examinees, const DataSource& data, Split split, const EvaluationConfig& on,
                    bool per_position) {
    Evaluation evaluation{split, 0, on.sizes, on.count, {}, {}};
    SizeEvaluation at_size(examinees, data, split, on, per_position);
    for (const std::int64_t size : on.sizes) {
        at_size.run(size);
        at_size.append_to(evaluation);
    }
    return evaluation;
}

SampleKey evaluation_key(const EvaluationConfig& on, Split split, std::int64_t size, std::int64_t index) {
    return {static_cast<std::uint64_t>(on.seed),
            split,
            static_cast<std::uint64_t>(size),
            static_cast<std::uint64_t>(index),
            {size, size}};
}

namespace {

/// Bits a supervised token of the best possible predictor on the examples of an evaluation, if the task knows one.
std::optional<double> ideal_bits(const DataSource& data, Split split, const EvaluationConfig& on, std::int64_t size) {
    double nats = 0, tokens = 0;
    for (std::int64_t i = 0; i < on.count; ++i) {
        const Example example = make_example(data, evaluation_key(on, split, size, i));
        const auto loss = data.ideal_loss(example.tokens, example.targets);
        if (!loss) return std::nullopt;
        nats += *loss;
        for (const std::int32_t target : example.targets) tokens += target >= 0 ? 1 : 0;
    }
    return bits_of(nats / tokens);
}

}  // namespace

void add_bits(Evaluation& evaluation, const DataSource& data, const EvaluationConfig& on) {
    if (!data.in_bits()) return;
    for (const auto& loss : evaluation.loss) {
        auto& bits = evaluation.bits.emplace_back();
        for (const double nats : loss) bits.push_back(bits_of(nats));
    }
    for (const std::int64_t size : on.sizes)
        if (const auto ideal = ideal_bits(data, evaluation.split, on, size)) evaluation.ideal_bits.push_back(*ideal);
}

// As many examples at once as `positions` hold, one at least: of those read in pieces a piece counts, where no cache
// grows with the length. Rows are numbered in 32 bits.
ReadShape evaluation_shape(const LanguageModel& model, Device device, std::int64_t replicas, const EvaluationPace& pace,
                           const DataSource& data, std::int64_t size, std::int64_t count) {
    ReadShape shape;
    shape.replicas = replicas;
    shape.length = bucket_length(data.positions(size));
    shape.piece = piece_for(model, device, pace.piece, shape.length);
    const std::int64_t at_once = pace.positions / (has_attention(model.config()) ? shape.length : shape.piece);
    shape.batch =
        std::clamp<std::int64_t>(std::min(at_once, std::numeric_limits<std::int32_t>::max() / shape.length), 1, count);
    shape.slots = shape.batch * data.slots(shape.length);
    return shape;
}

std::int64_t evaluation_bytes(const LanguageModel& model, const ReadShape& shape) {
    // The examples on the host: tokens, and the row and target of each slot; once more for all replicas of a piece.
    const std::int64_t positions = shape.batch * std::min(shape.piece, shape.length);
    const std::int64_t numbers = shape.batch * shape.length + 2 * shape.slots +
                                 shape.replicas * (positions + 2 * std::min(shape.slots, positions));
    return reading_bytes(model, shape) + numbers * static_cast<std::int64_t>(sizeof(std::int32_t));
}

std::int64_t evaluation_positions(const TrainingConfig& training, const DataSource& data) {
    return training.batch * bucket_length(data.positions(training.curriculum.largest()));
}

}  // namespace whorl
