#include "core/training/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

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

}  // namespace

Trainer::Trainer(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
                 std::vector<ReplicaHyper> replicas, Backend& backend, const GroupRequest& request)
    : config_(config),
      data_(data),
      replicas_(std::move(replicas)),
      backend_(backend),
      model_(model, backend, DType::f32),
      pass_(make_training_pass(model_, backend)),
      plan_(config_, *pass_, model_, data, static_cast<std::int64_t>(replicas_.size()), backend, request),
      population_(model_.layout(), replicas_, backend, plan_.group()),
      work_(config_, data, *pass_, plan_.training_shape(config_.curriculum.largest(), plan_.group()), population_,
            backend),
      stages_(static_cast<std::size_t>(work_.queue().capacity())),
      standing_(replicas_.size()),
      running_(static_cast<std::int64_t>(replicas_.size())),
      groups_(groups_of(running_, plan_.group())),
      sums_(replicas_.size()) {
    for (std::size_t r = 0; r < replicas_.size(); ++r)
        if (!replicas_[r].alive) stop(r, StopReason::held);
    retire();
    // All memory now: a run that cannot fit should say so at once.
    pass_->bind(plan_.training_shape(config_.curriculum.largest(), plan_.group()));
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

// What the next steps are, to all replicas and to each.
void Trainer::plan_steps(std::int64_t count) {
    StepQueue& queue = work_.queue();
    StageProgress stage = stage_;
    for (std::int64_t k = 0; k < count; ++k) {
        const std::int64_t step = step_ + k;
        const auto i = static_cast<std::size_t>(k);
        stages_[i] = stage = stage_in_time(stage, step);
        queue.steps[i] = {step, size_at(step, stage), schedule_factor(config_.schedule, step, config_.steps),
                          bias_correction(config_.optimizer.beta1, step + 1),
                          bias_correction(config_.optimizer.beta2, step + 1)};
    }
    for (std::int64_t row = 0; row < running_; ++row) {
        const ReplicaHyper& hyper = replicas_[population_.replica_at(row)];
        queue.replicas[static_cast<std::size_t>(row)] = {hyper.data_seed, hyper.learning_rate, hyper.weight_decay};
    }
}

void Trainer::ask_for(std::int64_t count) {
    plan_steps(count);
    work_.queue().upload(count, running_);
    for (std::int64_t k = 0; k < count; ++k)
        for (const Rows& rows : groups_) {
            pass_->bind(plan_.training_shape(work_.queue().steps[static_cast<std::size_t>(k)].size, rows.count));
            work_.ask(k, rows);
        }
}

// What came of the steps, in their order, as if each had been waited for: a replica that failed in one of them has kept
// its parameters since, and what it computed later counts for nothing.
void Trainer::take_in(std::int64_t count) {
    StepQueue& queue = work_.queue();
    queue.fetch(count);
    for (std::int64_t k = 0; k < count && standing_.count(StopReason::none) > 0; ++k) {
        const auto i = static_cast<std::size_t>(k);
        for (std::int64_t row = 0; row < running_; ++row) follow(population_.replica_at(row), queue.metrics(k, row));
        stage_ = stages_[i];
        tokens_ += config_.batch * plan_.training_shape(queue.steps[i].size, 1).length;
        ++step_;
    }
    retire();
}

void Trainer::step(std::int64_t count) {
    while (count > 0 && !finished()) {
        const std::int64_t together = std::min({count, config_.steps - step_, work_.queue().capacity()});
        ask_for(together);
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

// Stopped replicas leave the front rows, where groups are made: those that stopped first go furthest back.
void Trainer::retire() {
    const std::int64_t before = running_;
    for (;;) {
        std::int64_t earliest = -1;
        for (std::int64_t row = 0; row < running_; ++row) {
            const std::int64_t stopped = standing_.stopped_at[population_.replica_at(row)];
            if (stopped >= 0 && (earliest < 0 || stopped < earliest)) earliest = stopped;
        }
        if (earliest < 0) break;
        retire_stopped_at(earliest);
    }
    if (running_ != before) groups_ = groups_of(running_, plan_.group());
}

void Trainer::retire_stopped_at(std::int64_t step) {
    for (std::int64_t row = running_ - 1; row >= 0; --row)
        if (standing_.stopped_at[population_.replica_at(row)] == step) population_.swap_rows(row, --running_);
}

TrainingRow Trainer::take_row() {
    const TrainingRow row = peek_row();
    sums_ = IntervalSums(replicas_.size());
    return row;
}

// --- evaluation ------------------------------------------------------------------------------------------------------

// Those behind were stopped before `known`, whose answer is theirs still.
std::int64_t Trainer::rows_to_evaluate(const Evaluation* known) const {
    const std::int64_t all = population_.replicas();
    if (known == nullptr) return all;
    std::int64_t rows = running_;
    while (rows < all && standing_.stopped_at[population_.replica_at(rows)] > known->step) ++rows;
    return rows;
}

// The first rows at one size, in the last columns of `evaluation`.
void Trainer::evaluate_size(std::int64_t size, std::int64_t rows, Evaluation& evaluation, const EvaluationConfig& on) {
    const ModelShape shape = plan_.evaluation_shape(size, on.count);
    for (const Rows& group : groups_of(rows, shape.replicas)) {
        const Tensor parameters = rows_of(population_.parameters(), group.first, group.count);
        const Evaluation part = whorl::evaluate({model_, parameters, backend_, shape.batch * shape.length}, data_,
                                                evaluation.split, {{size}, on.count, on.seed});
        for (std::int64_t row = 0; row < group.count; ++row) {
            const auto i = static_cast<std::size_t>(row);
            const std::size_t r = population_.replica_at(group.first + row);
            evaluation.accuracy.back()[r] = part.accuracy[0][i];
            evaluation.loss.back()[r] = part.loss[0][i];
            if (!part.found.empty()) evaluation.found.back()[r] = part.found[0][i];
        }
    }
}

Evaluation Trainer::evaluate(Split split, const EvaluationConfig& on, const Evaluation* known) {
    if (known && (known->split != split || known->sizes != on.sizes || known->count != on.count)) known = nullptr;
    Evaluation evaluation{split, step_, on.sizes, on.count, {}, {}};
    const std::int64_t rows = rows_to_evaluate(known);
    for (std::size_t i = 0; i < on.sizes.size(); ++i) {
        evaluation.accuracy.push_back(start_column(known ? &known->accuracy : nullptr, i, replicas_.size()));
        evaluation.loss.push_back(start_column(known ? &known->loss : nullptr, i, replicas_.size()));
        if (has_found_share(data_))
            evaluation.found.push_back(start_column(known ? &known->found : nullptr, i, replicas_.size()));
        evaluate_size(on.sizes[i], rows, evaluation, on);
    }
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
    evaluate_size(review.size, running_, evaluation, on);
    std::vector<double> accuracy;
    for (std::int64_t row = 0; row < running_; ++row)
        accuracy.push_back(evaluation.accuracy.front()[population_.replica_at(row)]);
    review.accuracy = median(accuracy);
    review.passed = review.accuracy >= config_.curriculum.advance_at;
    if (review.passed) stage_ = {stage_.stage + 1, step_};
    return review;
}

// --- interruptions ---------------------------------------------------------------------------------------------------

TrainerSnapshot Trainer::snapshot() const {
    return {step_, tokens_, stage_, standing_, sums_, population_.values()};
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
    std::vector<std::size_t> order(replicas_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Running ones first, then those stopped last, as retire() leaves them.
    const auto& stopped = standing_.stopped_at;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return stopped[a] < 0 ? stopped[b] >= 0 : stopped[b] >= 0 && stopped[a] > stopped[b];
    });
    running_ = standing_.count(StopReason::none);
    groups_ = groups_of(running_, plan_.group());
    population_.set(snapshot.values, std::move(order));
}

}  // namespace whorl
