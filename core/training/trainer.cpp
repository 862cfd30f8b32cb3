#include "core/training/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/training/evaluation.hpp"

namespace whorl {
namespace {

constexpr auto kDouble = static_cast<std::int64_t>(sizeof(double));

// One double a replica, without padding between them.
Tensor numbers_at(std::byte* data, std::int64_t replicas, Device device) {
    return {data, DType::f64, device, {replicas, 1, 1, 1}, {1, 1, 1, 1}};
}

void upload_numbers(Backend& backend, const Tensor& to, const std::vector<double>& from) {
    backend.upload(to, from.data(), static_cast<std::int64_t>(from.size()) * kDouble);
}

// Through `staging`, as the tensor's numbers may lie apart.
void download_numbers(Backend& backend, const Tensor& from, std::vector<double>& staging, std::vector<double>& to) {
    const std::int64_t stride = from.stride[0], count = (from.replicas() - 1) * stride + 1;
    backend.download(staging.data(), from, count * kDouble);
    for (std::size_t r = 0; r < to.size(); ++r) to[r] = staging[r * static_cast<std::size_t>(stride)];
}

}  // namespace

void check_curriculum(const Curriculum& curriculum, const DataSource& data, const std::string& where) {
    if (curriculum.smallest() < data.min_size())
        throw UserError(where + ": it begins with sizes up to " + std::to_string(curriculum.smallest()) +
                        ", but the task's smallest is " + std::to_string(data.min_size()));
}

Trainer::Trainer(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
                 std::vector<ReplicaHyper> replicas, Backend& backend)
    : config_(config),
      data_(data),
      replicas_(std::move(replicas)),
      backend_(backend),
      model_(model, backend, DType::f32),
      population_(model_.layout(), replicas_, backend),
      loader_(backend),
      stopped_at_(replicas_.size(), -1),
      sums_(replicas_.size()) {
    check_curriculum(config_.curriculum, data, "curriculum");
    allocate_numbers();
    std::vector<double> decay;
    for (const ReplicaHyper& replica : replicas_) decay.push_back(replica.weight_decay);
    upload_numbers(backend_, weight_decay_, decay);
    for (std::size_t r = 0; r < replicas_.size(); ++r)
        if (!replicas_[r].alive) stopped_at_[r] = 0;
    // All memory now: a run that cannot fit should say so at once.
    bind(training_shape(config_.curriculum.largest()));
}

void Trainer::allocate_numbers() {
    const auto count = static_cast<std::int64_t>(replicas_.size());
    Tensor* numbers[] = {&learning_rate_, &weight_decay_, &clip_scale_, &norm_};
    small_ = backend_.allocate(4 * count * kDouble);
    std::byte* next = small_.data();
    for (Tensor* tensor : numbers) {
        *tensor = numbers_at(next, count, backend_.device());
        next += count * kDouble;
    }
    const std::int64_t scratch = backend_.gradient_norm_memory(population_.gradient()).scratch;
    norm_scratch_ = backend_.allocate(scratch);
    norm_work_ = activation_at(norm_scratch_.data(), {1, 1, 1, scratch / 4}, DType::f32, backend_.device());
    for (auto* host : {&rate_host_, &clip_host_, &loss_host_, &correct_host_, &used_host_, &norm_host_})
        host->assign(replicas_.size(), 0.0);
    download_.assign(replicas_.size() * static_cast<std::size_t>(kAlignment / kDouble), 0.0);
}

std::int64_t Trainer::alive() const {
    return std::count(stopped_at_.begin(), stopped_at_.end(), -1);
}

ModelShape Trainer::training_shape(std::int64_t size) const {
    ModelShape shape;
    shape.replicas = static_cast<std::int64_t>(replicas_.size());
    shape.batch = config_.batch;
    shape.length = bucket_length(data_.positions(size));
    shape.slots = config_.batch * data_.slots(shape.length);
    return shape;
}

void Trainer::bind(const ModelShape& shape) {
    model_.bind(shape);
    loader_.bind(model_);
}

void Trainer::load_batch(std::int64_t size) {
    bind(training_shape(size));
    for (std::size_t r = 0; r < replicas_.size(); ++r)
        for (std::int64_t b = 0; b < config_.batch; ++b)
            loader_.put(static_cast<std::int64_t>(r), b, data_,
                        {replicas_[r].data_seed,
                         Split::train,
                         static_cast<std::uint64_t>(step_),
                         static_cast<std::uint64_t>(b),
                         {data_.min_size(), size}});
    loader_.upload(model_);
}

void Trainer::download_sums() {
    const LossTensors& losses = model_.losses();
    download_numbers(backend_, losses.loss, download_, loss_host_);
    download_numbers(backend_, losses.correct, download_, correct_host_);
    download_numbers(backend_, losses.used, download_, used_host_);
}

// How much of its gradient replica r follows in this step; 0 stops it for good.
void Trainer::decide(std::size_t r) {
    clip_host_[r] = 0;
    if (stopped_at_[r] >= 0) return;
    if (!std::isfinite(loss_host_[r]) || !std::isfinite(norm_host_[r])) {
        stopped_at_[r] = step_;
        return;
    }
    const double clip = config_.optimizer.clip;
    clip_host_[r] = clip > 0 && norm_host_[r] > clip ? clip / norm_host_[r] : 1.0;
    sums_.loss[r] += loss_host_[r];
    sums_.norm[r] += norm_host_[r];
    sums_.correct[r] += correct_host_[r];
    sums_.used[r] += used_host_[r];
    sums_.steps[r] += 1;
}

void Trainer::update() {
    backend_.gradient_norm(population_.gradient(), norm_, norm_work_);
    download_numbers(backend_, norm_, download_, norm_host_);
    download_sums();
    const double factor = schedule_factor(config_.schedule, step_, config_.steps);
    for (std::size_t r = 0; r < replicas_.size(); ++r) {
        decide(r);
        rate_host_[r] = replicas_[r].learning_rate * factor;
    }
    upload_numbers(backend_, clip_scale_, clip_host_);
    upload_numbers(backend_, learning_rate_, rate_host_);
    const AdamWStep adamw{learning_rate_,
                          weight_decay_,
                          clip_scale_,
                          config_.optimizer.beta1,
                          config_.optimizer.beta2,
                          config_.optimizer.epsilon,
                          step_ + 1};
    backend_.adamw(adamw, population_.gradient(), population_.mask(), population_.parameters(),
                   population_.first_moment(), population_.second_moment());
}

void Trainer::step(std::int64_t count) {
    for (; count > 0 && !finished(); --count) {
        load_batch(size_at(step_));
        population_.zero_gradient();
        model_.forward(population_.parameters());
        model_.loss_and_gradient(population_.parameters(), population_.gradient(), config_.loss.label_smoothing);
        update();
        tokens_ += config_.batch * model_.shape().length;
        ++step_;
    }
}

TrainingRow Trainer::take_row() {
    const TrainingRow row = peek_row();
    sums_ = IntervalSums(replicas_.size());
    return row;
}

Evaluation Trainer::evaluate(Split split, const EvaluationConfig& on) {
    const std::int64_t positions = evaluation_positions(config_, data_);
    Evaluation evaluation = whorl::evaluate({model_, population_.parameters(), backend_, positions}, data_, split, on);
    evaluation.step = step_;
    return evaluation;
}

TrainerSnapshot Trainer::snapshot() const {
    return {step_, tokens_, stopped_at_, sums_, population_.values()};
}

void Trainer::restore(const TrainerSnapshot& snapshot) {
    population_.set(snapshot.values);
    step_ = snapshot.step;
    tokens_ = snapshot.tokens;
    stopped_at_ = snapshot.stopped_at;
    sums_ = snapshot.sums;
}

}  // namespace whorl
