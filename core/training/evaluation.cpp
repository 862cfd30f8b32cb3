#include "core/training/evaluation.hpp"

#include <algorithm>

#include "core/training/batch.hpp"
#include "core/training/score.hpp"

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

// Hits at the k-th supervised position, of as many examples as have one.
struct PositionHits {
    std::vector<double> right, seen;

    void add(const std::vector<std::int32_t>& targets, const std::vector<std::int32_t>& predictions) {
        right.resize(targets.size()), seen.resize(targets.size());
        for (std::size_t k = 0; k < targets.size(); ++k) {
            if (targets[k] < 0) continue;
            seen[k] += 1;
            right[k] += targets[k] == predictions[k] ? 1 : 0;
        }
    }
    std::vector<double> shares() const {
        std::vector<double> result;
        for (std::size_t k = 0; k < seen.size() && seen[k] > 0; ++k) result.push_back(right[k] / seen[k]);
        return result;
    }
};

// As many examples at once as `positions` hold, one at least.
ModelShape shape_of(std::int64_t replicas, std::int64_t positions, const DataSource& data, std::int64_t size,
                    std::int64_t count) {
    ModelShape shape;
    shape.replicas = replicas;
    shape.length = bucket_length(data.positions(size));
    shape.batch = std::clamp<std::int64_t>(positions / shape.length, 1, count);
    shape.slots = shape.batch * data.slots(shape.length);
    shape.backward = false;
    return shape;
}

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
          loader_(who.backend),
          replicas_(static_cast<std::size_t>(who.parameters.replicas())) {}

    void run(std::int64_t size) {
        loss_.assign(replicas_, 0.0);
        correct_ = used_ = loss_;
        score_.assign(replicas_, {});
        hits_.assign(replicas_, {});
        bind(size);
        for (std::int64_t first = 0; first < on_.count; first += who_.model.shape().batch) {
            load(size, first);
            who_.model.forward(who_.parameters);
            who_.model.evaluate_loss();
            add_sums();
            if (found_ || per_position_) add_answers();
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
    void bind(std::int64_t size) {
        const ModelShape shape = shape_of(who_.parameters.replicas(), who_.positions, data_, size, on_.count);
        who_.model.bind(shape);
        loader_.bind(shape);
    }

    void load(std::int64_t size, std::int64_t first) {
        for (std::int64_t b = 0; b < who_.model.shape().batch; ++b) {
            const SampleKey key{static_cast<std::uint64_t>(on_.seed),
                                split_,
                                static_cast<std::uint64_t>(size),
                                static_cast<std::uint64_t>(first + b),
                                {size, size}};
            first + b < on_.count ? loader_.put(0, b, data_, key) : loader_.clear(0, b);
            loader_.repeat(b);
        }
        loader_.upload(who_.model.tokens(), who_.model.supervision());
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

    void add_answers() {
        const Predictions predictions(who_.backend, who_.model);
        std::vector<std::int32_t> targets, predicted;
        for (std::int64_t b = 0; b < who_.model.shape().batch; ++b) {
            loader_.read_targets(b, targets);
            const auto slots = static_cast<std::int64_t>(targets.size());
            predicted.resize(targets.size());
            for (std::size_t r = 0; r < replicas_; ++r) {
                for (std::int64_t k = 0; k < slots; ++k)
                    predicted[static_cast<std::size_t>(k)] =
                        predictions.at(static_cast<std::int64_t>(r), b * slots + k);
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
    BatchLoader loader_;
    std::size_t replicas_;
    std::vector<double> loss_, correct_, used_;
    std::vector<Score> score_;
    std::vector<PositionHits> hits_;
};

}  // namespace

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

std::int64_t evaluation_bytes(const LanguageModel& model, std::int64_t replicas, std::int64_t positions,
                              const DataSource& data, std::int64_t size, std::int64_t count) {
    const ModelShape shape = shape_of(replicas, positions, data, size, count);
    // The examples on the host: tokens, and the row and target of each slot.
    const std::int64_t numbers = shape.replicas * (shape.batch * shape.length + 2 * shape.slots);
    return model.arena_bytes(shape) + numbers * static_cast<std::int64_t>(sizeof(std::int32_t));
}

std::int64_t evaluation_positions(const TrainingConfig& training, const DataSource& data) {
    return training.batch * bucket_length(data.positions(training.curriculum.largest()));
}

}  // namespace whorl
