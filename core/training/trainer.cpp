#include "core/training/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/training/evaluation.hpp"
#include "core/training/statistics.hpp"

namespace whorl {
namespace {

// The result of all replicas, to be filled in, with what `known` says already.
std::vector<double> start_column(const std::vector<std::vector<double>>* known, std::size_t size,
                                 std::size_t replicas) {
    return known ? (*known)[size] : std::vector<double>(replicas, 0.0);
}

bool same_number(double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

}  // namespace

Trainer::Trainer(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
                 std::vector<ReplicaHyper> replicas, const Devices& devices, const GroupRequest& request)
    : config_(config),
      data_(data),
      replicas_(std::move(replicas)),
      works_(shares_of_work(config_, static_cast<std::int64_t>(replicas_.size()), devices.size())),
      crew_(works_.size(), [this] { abandon(); }),
      shares_(works_.size()),
      standing_(replicas_.size()),
      running_(static_cast<std::int64_t>(replicas_.size())),
      sums_(replicas_.size()) {
    make_shares(model, devices, request);
    std::int64_t capacity = shares_.front()->capacity();
    for (const auto& share : shares_) capacity = std::min(capacity, share->capacity());
    steps_.resize(static_cast<std::size_t>(capacity));
    stages_.resize(steps_.size());
    for (std::size_t r = 0; r < replicas_.size(); ++r)
        if (!replicas_[r].alive) stop(r, StopReason::held);
    retire();
}

void Trainer::make_shares(const ModelConfig& model, const Devices& devices, GroupRequest request) {
    if (config_.data_parallel > 1) {
        communicators_ = make_communicators(devices, running_);
        // All plan with the memory of the smallest, so that they take the same groups, in training and evaluation.
        request = same_for_all(request, devices);
        for (std::size_t i = 0; i < works_.size(); ++i) works_[i].others = communicators_[i].get();
    }
    crew_.run([&](std::size_t i) {
        devices[i].attach();
        shares_[i] = std::make_unique<Share>(config_, model, data_, replicas_, works_[i], devices[i], request);
        shares_[i]->connect();
    });
}

void Trainer::abandon() const {
    for (const auto& one : communicators_) one->abandon();
}

template <class Work>
void Trainer::on_shares(const Work& work) const {
    crew_.run([&](std::size_t i) {
        shares_[i]->backend().attach();
        work(*shares_[i]);
    });
}

// --- training --------------------------------------------------------------------------------------------------------

std::int64_t Trainer::size_at(std::int64_t step, const StageProgress& stage) const {
    const Curriculum& curriculum = config_.curriculum;
    if (curriculum.reacts()) return curriculum.stages[static_cast<std::size_t>(stage.stage)];
    return max_size(curriculum, step < 0 ? 0 : step, config_.steps);
}

bool Trainer::in_last_stage(const StageProgress& stage) const {
    return stage.stage + 1 >= static_cast<std::int64_t>(config_.curriculum.stages.size());
}

// A stage that nobody passed ends after steps_per_stage.
StageProgress Trainer::stage_in_time(const StageProgress& stage, std::int64_t step) const {
    const Curriculum& curriculum = config_.curriculum;
    if (!curriculum.reacts() || curriculum.steps_per_stage == 0 || in_last_stage(stage)) return stage;
    return step - stage.since >= curriculum.steps_per_stage ? StageProgress{stage.stage + 1, step} : stage;
}

void Trainer::plan_steps(std::int64_t count) {
    StageProgress stage = stage_;
    for (std::int64_t k = 0; k < count; ++k) {
        const std::int64_t step = step_ + k;
        const auto i = static_cast<std::size_t>(k);
        stages_[i] = stage = stage_in_time(stage, step);
        steps_[i] = {step, size_at(step, stage), schedule_factor(config_.schedule, step, config_.steps),
                     bias_correction(config_.optimizer.beta1, step + 1),
                     bias_correction(config_.optimizer.beta2, step + 1)};
    }
}

// What came of the steps, in their order, as if each had been waited for: a replica that failed in one of them has kept
// its parameters since, and what it computed later counts for nothing.
void Trainer::take_in(std::int64_t count) {
    for (std::int64_t k = 0; k < count && standing_.count(StopReason::none) > 0; ++k) {
        const auto i = static_cast<std::size_t>(k);
        check_agreement(k);
        for (const auto& share : shares_)
            for (std::int64_t row = 0; speaks(*share) && row < share->running(); ++row)
                follow(share->replica_at(row), share->metrics(k, row));
        stage_ = stages_[i];
        tokens_ += config_.batch * bucket_length(data_.positions(steps_[i].size));
        ++step_;
    }
    retire();
}

// Devices that share batches update their own copies of the parameters from the same gradient: were its norm another
// one somewhere, the copies would drift apart.
void Trainer::check_agreement(std::int64_t k) {
    for (std::size_t s = 0; s < shares_.size(); ++s)
        for (std::int64_t row = 0; !speaks(*shares_[s]) && row < shares_[s]->running(); ++row) {
            const StepMetrics &here = shares_.front()->metrics(k, row), &there = shares_[s]->metrics(k, row);
            if (!same_number(here.norm, there.norm) || !same_number(here.loss, there.loss))
                throw RuntimeFailure(
                    fmt::format("the devices no longer agree on the gradient of step {}: norm {} on "
                                "the first and {} on number {}",
                                step_, here.norm, there.norm, s + 1));
        }
}

void Trainer::step(std::int64_t count) {
    while (count > 0 && !finished()) {
        const std::int64_t together = std::min({count, config_.steps - step_, steps_ahead()});
        plan_steps(together);
        on_shares([&](Share& share) { share.take(steps_, together); });
        take_in(together);
        count -= together;
    }
}

// A replica's numbers count towards the next row, or stop it for good.
void Trainer::follow(std::size_t replica, const StepMetrics& metrics) {
    if (standing_.stopped_at[replica] >= 0) return;
    if (!std::isfinite(metrics.loss) || !std::isfinite(metrics.norm)) return stop(replica, StopReason::not_finite);
    sums_.loss[replica] += metrics.loss;
    sums_.norm[replica] += metrics.norm;
    sums_.correct[replica] += metrics.correct;
    sums_.used[replica] += metrics.used;
    sums_.steps[replica] += 1;
}

void Trainer::stop(std::size_t replica, StopReason reason) {
    standing_.stopped_at[replica] = step_;
    standing_.reason[replica] = reason;
}

void Trainer::retire() {
    const std::int64_t running = standing_.count(StopReason::none);
    if (running == running_) return;
    running_ = running;
    on_shares([&](Share& share) { share.retire(standing_.stopped_at); });
}

TrainingRow Trainer::take_row() {
    const TrainingRow row = peek_row();
    sums_ = IntervalSums(replicas_.size());
    return row;
}

// --- evaluation ------------------------------------------------------------------------------------------------------

// Those behind were stopped before `known`, whose answer is theirs still.
std::int64_t Trainer::rows_to_evaluate(const Share& share, const Evaluation* known) const {
    if (known == nullptr) return share.rows();
    std::int64_t rows = share.running();
    while (rows < share.rows() && standing_.stopped_at[share.replica_at(rows)] > known->step) ++rows;
    return rows;
}

// At one size, in the last columns of `evaluation`. Devices that share batches all do it, so that the memory of all
// goes the same way, and must come to the same numbers.
void Trainer::evaluate_size(std::int64_t size, const Evaluation* known, Evaluation& evaluation,
                            const EvaluationConfig& on, bool running_only) {
    std::vector<Evaluation> others(communicators_.empty() ? 0 : shares_.size(), evaluation);
    crew_.run([&](std::size_t i) {
        Share& share = *shares_[i];
        share.backend().attach();
        share.evaluate(size, running_only ? share.running() : rows_to_evaluate(share, known),
                       speaks(share) ? evaluation : others[i], on);
    });
    for (std::size_t i = 1; i < others.size(); ++i)
        for (std::size_t r = 0; r < replicas_.size(); ++r)
            if (others[i].accuracy.back()[r] != evaluation.accuracy.back()[r] ||
                !same_number(others[i].loss.back()[r], evaluation.loss.back()[r]))
                throw RuntimeFailure(
                    fmt::format("the devices no longer hold the same parameters at step {}: loss {} "
                                "on the first and {} on number {}",
                                step_, evaluation.loss.back()[r], others[i].loss.back()[r], i + 1));
}

Evaluation Trainer::evaluate(Split split, const EvaluationConfig& on, const Evaluation* known) {
    if (known && (known->split != split || known->sizes != on.sizes || known->count != on.count)) known = nullptr;
    Evaluation evaluation{split, step_, on.sizes, on.count, {}, {}};
    for (std::size_t i = 0; i < on.sizes.size(); ++i) {
        evaluation.accuracy.push_back(start_column(known ? &known->accuracy : nullptr, i, replicas_.size()));
        evaluation.loss.push_back(start_column(known ? &known->loss : nullptr, i, replicas_.size()));
        if (has_found_share(data_))
            evaluation.found.push_back(start_column(known ? &known->found : nullptr, i, replicas_.size()));
        evaluate_size(on.sizes[i], known, evaluation, on, false);
    }
    add_bits(evaluation, data_, on);
    return evaluation;
}

void Trainer::observe(const Evaluation& validation) {
    if (!config_.early_stop.on()) return;
    for (std::size_t r = 0; r < replicas_.size(); ++r) {
        if (standing_.stopped_at[r] >= 0) continue;
        bool solved = true;
        for (const auto& at_size : validation.accuracy) solved = solved && at_size[r] >= config_.early_stop.accuracy;
        standing_.solved[r] = solved ? standing_.solved[r] + 1 : 0;
        if (standing_.solved[r] >= config_.early_stop.validations) stop(r, StopReason::solved);
    }
    retire();
}

std::optional<StageReview> Trainer::review_stage(const EvaluationConfig& on) {
    if (!config_.curriculum.reacts() || in_last_stage(stage_) || running_ == 0) return std::nullopt;
    StageReview review{step_, stage_.stage, size_at(step_, stage_), 0, false};
    const std::vector<double> nothing(replicas_.size(), 0.0);
    Evaluation evaluation{Split::validation, step_, {review.size}, on.count, {nothing}, {nothing}, {nothing}};
    evaluate_size(review.size, nullptr, evaluation, on, true);
    std::vector<double> accuracy;
    for (std::size_t r = 0; r < replicas_.size(); ++r)
        if (standing_.stopped_at[r] < 0) accuracy.push_back(evaluation.accuracy.front()[r]);
    review.accuracy = median(accuracy);
    review.passed = review.accuracy >= config_.curriculum.advance_at;
    if (review.passed) stage_ = {stage_.stage + 1, step_};
    return review;
}

// --- interruptions ---------------------------------------------------------------------------------------------------

std::vector<float> Trainer::parameters(std::size_t replica) const {
    std::vector<float> slice;
    on_shares([&](Share& share) {
        if (speaks(share) && share.has(replica)) slice = share.parameters_of(replica);
    });
    return slice;
}

TrainerSnapshot Trainer::snapshot() const {
    const std::size_t count = replicas_.size() * static_cast<std::size_t>(model().layout().slice());
    PopulationValues values{std::vector<float>(count), std::vector<float>(count), std::vector<float>(count)};
    on_shares([&](Share& share) {
        if (speaks(share)) share.collect(values);
    });
    return {step_, tokens_, stage_, standing_, sums_, std::move(values)};
}

void Trainer::restore(const TrainerSnapshot& snapshot) {
    const std::int64_t stages = static_cast<std::int64_t>(config_.curriculum.stages.size());
    if (config_.curriculum.reacts() && snapshot.stage.stage >= stages)
        throw UserError(
            fmt::format("the checkpoint is in stage {} of the curriculum's {}", snapshot.stage.stage + 1, stages));
    step_ = snapshot.step;
    tokens_ = snapshot.tokens;
    stage_ = snapshot.stage;
    standing_ = snapshot.standing;
    sums_ = snapshot.sums;
    running_ = standing_.count(StopReason::none);
    on_shares([&](Share& share) { share.restore(snapshot.values, standing_.stopped_at); });
}

}  // namespace whorl
