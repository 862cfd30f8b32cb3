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

constexpr auto kDouble = static_cast<std::int64_t>(sizeof(double));

// One double a replica, without padding between them.
Tensor numbers_at(std::byte* data, std::int64_t replicas, Device device) {
    return {data, DType::f64, device, {replicas, 1, 1, 1}, {1, 1, 1, 1}};
}

void upload_numbers(Backend& backend, const Tensor& to, const std::vector<double>& from) {
    backend.upload(to, from.data(), to.replicas() * kDouble);
}

// Through `staging`, as the tensor's numbers may lie apart.
void download_numbers(Backend& backend, const Tensor& from, std::vector<double>& staging, std::vector<double>& to) {
    const std::int64_t stride = from.stride[0], count = (from.replicas() - 1) * stride + 1;
    backend.download(staging.data(), from, count * kDouble);
    for (std::int64_t i = 0; i < from.replicas(); ++i)
        to[static_cast<std::size_t>(i)] = staging[static_cast<std::size_t>(i * stride)];
}

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
      loader_(backend),
      recordings_(backend),
      standing_(replicas_.size()),
      running_(static_cast<std::int64_t>(replicas_.size())),
      groups_(groups_of(running_, plan_.group())),
      sums_(replicas_.size()) {
    allocate_numbers();
    for (std::size_t r = 0; r < replicas_.size(); ++r)
        if (!replicas_[r].alive) stop(r, StopReason::held);
    retire();
    // All memory now: a run that cannot fit should say so at once.
    pass_->bind(plan_.training_shape(config_.curriculum.largest(), plan_.group()));
}

void Trainer::allocate_numbers() {
    Tensor* numbers[] = {&learning_rate_, &weight_decay_, &clip_scale_, &norm_};
    const std::int64_t group = plan_.group();
    small_ = backend_.allocate(4 * group * kDouble);
    std::byte* next = small_.data();
    for (Tensor* tensor : numbers) {
        *tensor = numbers_at(next, group, backend_.device());
        next += group * kDouble;
    }
    const std::int64_t scratch = backend_.gradient_norm_memory(population_.gradient()).scratch;
    norm_scratch_ = backend_.allocate(scratch);
    norm_work_ = activation_at(norm_scratch_.data(), {1, 1, 1, scratch / 4}, DType::f32, backend_.device());
    const auto count = static_cast<std::size_t>(group);
    for (auto* host : {&rate_host_, &decay_host_, &clip_host_, &loss_host_, &correct_host_, &used_host_, &norm_host_})
        host->assign(count, 0.0);
    download_.assign(count * static_cast<std::size_t>(kAlignment / kDouble), 0.0);
}

// --- training --------------------------------------------------------------------------------------------------------

std::int64_t Trainer::size_at(std::int64_t step) const {
    const Curriculum& curriculum = config_.curriculum;
    if (curriculum.reacts()) return curriculum.stages[static_cast<std::size_t>(stage_.stage)];
    return max_size(curriculum, step < 0 ? 0 : step, config_.steps);
}

bool Trainer::in_last_stage() const {
    return stage_.stage + 1 >= static_cast<std::int64_t>(config_.curriculum.stages.size());
}

// A stage that nobody passed ends after steps_per_stage.
void Trainer::begin_stage_in_time() {
    const Curriculum& curriculum = config_.curriculum;
    if (!curriculum.reacts() || curriculum.steps_per_stage == 0 || in_last_stage()) return;
    if (step_ - stage_.since >= curriculum.steps_per_stage) stage_ = {stage_.stage + 1, step_};
}

void Trainer::load_batch(std::int64_t size, const Rows& rows) {
    loader_.bind(plan_.training_shape(size, groups_.front().count));  // the largest
    pass_->bind(plan_.training_shape(size, rows.count));
    for (std::int64_t i = 0; i < rows.count; ++i)
        for (std::int64_t b = 0; b < config_.batch; ++b)
            loader_.put(i, b, data_,
                        {replicas_[population_.replica_at(rows.first + i)].data_seed,
                         Split::train,
                         static_cast<std::uint64_t>(step_),
                         static_cast<std::uint64_t>(b),
                         {data_.min_size(), size}});
    loader_.upload(pass_->tokens(), pass_->supervision());
}

void Trainer::download_sums() {
    const LossTensors& losses = pass_->losses();
    download_numbers(backend_, losses.loss, download_, loss_host_);
    download_numbers(backend_, losses.correct, download_, correct_host_);
    download_numbers(backend_, losses.used, download_, used_host_);
}

// False stops the replica, the i-th of its group, for good. Its numbers count towards the next row otherwise.
bool Trainer::follows(std::size_t i, std::size_t replica) {
    if (!std::isfinite(loss_host_[i]) || !std::isfinite(norm_host_[i])) {
        stop(replica, StopReason::not_finite);
        return false;
    }
    sums_.loss[replica] += loss_host_[i];
    sums_.norm[replica] += norm_host_[i];
    sums_.correct[replica] += correct_host_[i];
    sums_.used[replica] += used_host_[i];
    sums_.steps[replica] += 1;
    return true;
}

// Losses, gradients and their norms.
void Trainer::compute(const Rows& rows) {
    recordings_.run(*pass_, rows, [this, rows] {
        population_.zero_gradient();
        const Tensor gradient = rows_of(population_.gradient(), 0, rows.count);
        pass_->gradient(rows_of(population_.parameters(), rows.first, rows.count), gradient,
                        config_.loss.label_smoothing);
        backend_.gradient_norm(gradient, rows_of(norm_, 0, rows.count), norm_work_);
    });
}

void Trainer::update(const Rows& rows) {
    const Tensor gradient = rows_of(population_.gradient(), 0, rows.count), norm = rows_of(norm_, 0, rows.count);
    download_numbers(backend_, norm, download_, norm_host_);
    download_sums();
    const double factor = schedule_factor(config_.schedule, step_, config_.steps), most = config_.optimizer.clip;
    for (std::int64_t row = 0; row < rows.count; ++row) {
        const auto i = static_cast<std::size_t>(row);
        const std::size_t replica = population_.replica_at(rows.first + row);
        const double clip = most > 0 && norm_host_[i] > most ? most / norm_host_[i] : 1.0;
        clip_host_[i] = follows(i, replica) ? clip : 0.0;
        rate_host_[i] = replicas_[replica].learning_rate * factor;
        decay_host_[i] = replicas_[replica].weight_decay;
    }
    const AdamWStep adamw{rows_of(learning_rate_, 0, rows.count),
                          rows_of(weight_decay_, 0, rows.count),
                          rows_of(clip_scale_, 0, rows.count),
                          config_.optimizer.beta1,
                          config_.optimizer.beta2,
                          config_.optimizer.epsilon,
                          step_ + 1};
    upload_numbers(backend_, adamw.learning_rate, rate_host_);
    upload_numbers(backend_, adamw.weight_decay, decay_host_);
    upload_numbers(backend_, adamw.clip_scale, clip_host_);
    const auto of = [&](const Tensor& tensor) { return rows_of(tensor, rows.first, rows.count); };
    backend_.adamw(adamw, gradient, population_.mask(), of(population_.parameters()), of(population_.first_moment()),
                   of(population_.second_moment()));
}

void Trainer::step(std::int64_t count) {
    for (; count > 0 && !finished(); --count) {
        begin_stage_in_time();
        const std::int64_t size = size_at(step_);
        for (const Rows& rows : groups_) {
            load_batch(size, rows);
            compute(rows);
            update(rows);
        }
        tokens_ += config_.batch * pass_->shape().length;
        retire();
        ++step_;
    }
}

void Trainer::stop(std::size_t replica, StopReason reason) {
    standing_.stopped_at[replica] = step_;
    standing_.reason[replica] = reason;
}

// Stopped replicas leave the front rows, where groups are made.
void Trainer::retire() {
    const std::int64_t before = running_;
    for (std::int64_t row = running_ - 1; row >= 0; --row)
        if (standing_.stopped_at[population_.replica_at(row)] >= 0) population_.swap_rows(row, --running_);
    if (running_ != before) groups_ = groups_of(running_, plan_.group());
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
    if (!config_.curriculum.reacts() || in_last_stage() || running_ == 0) return std::nullopt;
    StageReview review{step_, stage_.stage, size_at(step_), 0, false};
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
