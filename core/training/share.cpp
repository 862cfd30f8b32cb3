#include "core/training/share.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/error.hpp"
#include "core/training/evaluation.hpp"

namespace whorl {
namespace {

TrainingConfig on_part(TrainingConfig config, const Rows& sequences) {
    config.batch = sequences.count;
    return config;
}

std::vector<ReplicaHyper> part_of(const std::vector<ReplicaHyper>& population, const Rows& replicas) {
    const auto begin = population.begin() + replicas.first;
    return {begin, begin + replicas.count};
}

void copy_part(const std::vector<float>& from, std::size_t first, std::vector<float>& to, std::size_t at,
               std::size_t count) {
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(first), count, to.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

std::vector<ShareOfWork> shares_of_work(const TrainingConfig& config, std::int64_t replicas, std::size_t devices) {
    const auto count = static_cast<std::int64_t>(devices);
    if (config.data_parallel > 1 && config.data_parallel != count)
        throw UserError("data_parallel: each batch of this run is split over " + std::to_string(config.data_parallel) +
                        " GPUs; name as many with --devices, such as --devices 0,1 for two");
    std::vector<ShareOfWork> shares;
    if (config.data_parallel > 1)
        for (const Rows& sequences : equal_parts(config.batch, count)) shares.push_back({{0, replicas}, sequences});
    else
        for (const Rows& rows : equal_parts(replicas, std::min(replicas, count)))
            shares.push_back({rows, {0, config.batch}});
    return shares;
}

ShareEstimate estimate_share(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
                             const ShareOfWork& work, Backend& backend, const GroupRequest& request,
                             const std::vector<NamedEvaluation>& evaluations) {
    LanguageModel one(model, backend, DType::f32);
    const auto pass = make_training_pass(one, backend);
    const TrainingConfig part = on_part(config, work.sequences);
    const BatchPlan plan(part, *pass, one, data, work.replicas.count, backend, request);
    ShareEstimate estimate{work, plan.group(), plan.memory()};
    for (const NamedEvaluation& evaluation : evaluations) {
        plan.check_evaluation(evaluation.on, evaluation.name);
        for (const std::int64_t size : evaluation.on.sizes) {
            const std::int64_t bytes = plan.evaluation_memory(size, evaluation.on.count);
            if (bytes <= estimate.evaluation) continue;
            estimate.evaluation = bytes;
            estimate.evaluation_size = size;
        }
    }
    return estimate;
}

Share::Share(const TrainingConfig& config, const ModelConfig& model, const DataSource& data,
             const std::vector<ReplicaHyper>& population, const ShareOfWork& work, Backend& backend,
             const GroupRequest& request)
    : config_(on_part(config, work.sequences)),
      data_(data),
      first_(static_cast<std::size_t>(work.replicas.first)),
      replicas_(part_of(population, work.replicas)),
      backend_(backend),
      others_(work.others),
      model_(model, backend, DType::f32),
      pass_(make_training_pass(model_, backend)),
      plan_(config_, *pass_, model_, data, work.replicas.count, backend, request),
      population_(model_.layout(), replicas_, backend, plan_.group()),
      work_(config_, data, *pass_, plan_.training_shape(config_.curriculum.largest(), plan_.group()), population_,
            backend, {work.sequences.first, work.others}),
      running_(work.replicas.count),
      groups_(groups_of(running_, plan_.group())) {
    // All memory now: a run that cannot fit should say so at once.
    pass_->bind(plan_.training_shape(config_.curriculum.largest(), plan_.group()));
}

// Nothing has been computed: no slot is used, and the gradient stays zero.
void Share::connect() {
    if (!others_) return;
    others_->meet();
    others_->combine(population_.gradient(), pass_->losses());
    backend_.synchronize();
}

void Share::take(const std::vector<StepNumbers>& steps, std::int64_t count) {
    if (running_ == 0) return;
    StepQueue& queue = work_.queue();
    std::copy_n(steps.begin(), count, queue.steps.begin());
    for (std::int64_t row = 0; row < running_; ++row) {
        const ReplicaHyper& hyper = replicas_[population_.replica_at(row)];
        queue.replicas[static_cast<std::size_t>(row)] = {hyper.data_seed, hyper.learning_rate, hyper.weight_decay};
    }
    queue.upload(count, running_);
    if (others_) others_->meet();
    for (std::int64_t k = 0; k < count; ++k)
        for (const Rows& rows : groups_) {
            pass_->bind(plan_.training_shape(steps[static_cast<std::size_t>(k)].size, rows.count));
            work_.ask(k, rows);
        }
    if (others_) backend_.synchronize();  // before a copy that the host takes part in
    queue.fetch(count);
}

void Share::retire(const std::vector<std::int64_t>& stopped_at) {
    const std::int64_t before = running_;
    for (;;) {
        std::int64_t earliest = -1;
        for (std::int64_t row = 0; row < running_; ++row) {
            const std::int64_t stopped = stopped_at[replica_at(row)];
            if (stopped >= 0 && (earliest < 0 || stopped < earliest)) earliest = stopped;
        }
        if (earliest < 0) break;
        retire_stopped_at(earliest, stopped_at);
    }
    if (running_ != before) groups_ = groups_of(running_, plan_.group());
}

void Share::retire_stopped_at(std::int64_t step, const std::vector<std::int64_t>& stopped_at) {
    for (std::int64_t row = running_ - 1; row >= 0; --row)
        if (stopped_at[replica_at(row)] == step) population_.swap_rows(row, --running_);
}

void Share::evaluate(std::int64_t size, std::int64_t rows, Evaluation& evaluation, const EvaluationConfig& on) {
    const std::int64_t together = plan_.evaluation_shape(size, on.count).replicas;
    for (const Rows& group : groups_of(rows, together)) {
        const Tensor parameters = rows_of(population_.parameters(), group.first, group.count);
        const Evaluation part = whorl::evaluate({model_, parameters, backend_, plan_.evaluation_pace()}, data_,
                                                evaluation.split, {{size}, on.count, on.seed});
        for (std::int64_t row = 0; row < group.count; ++row) {
            const auto i = static_cast<std::size_t>(row);
            const std::size_t r = replica_at(group.first + row);
            evaluation.accuracy.back()[r] = part.accuracy[0][i];
            evaluation.loss.back()[r] = part.loss[0][i];
            if (!part.found.empty()) evaluation.found.back()[r] = part.found[0][i];
        }
    }
}

void Share::collect(PopulationValues& all) const {
    const PopulationValues own = population_.values();
    const std::size_t count = own.parameters.size(), at = count / replicas_.size() * first_;
    copy_part(own.parameters, 0, all.parameters, at, count);
    copy_part(own.first_moment, 0, all.first_moment, at, count);
    copy_part(own.second_moment, 0, all.second_moment, at, count);
}

void Share::restore(const PopulationValues& all, const std::vector<std::int64_t>& stopped_at) {
    const std::size_t replicas = replicas_.size(), slice = static_cast<std::size_t>(model_.layout().slice());
    PopulationValues own;
    for (const auto& [from, to] :
         {std::pair{&all.parameters, &own.parameters}, std::pair{&all.first_moment, &own.first_moment},
          std::pair{&all.second_moment, &own.second_moment}}) {
        to->resize(replicas * slice);
        copy_part(*from, first_ * slice, *to, 0, to->size());
    }
    std::vector<std::size_t> order(replicas);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto stopped = [&](std::size_t i) { return stopped_at[first_ + i]; };
    // Running ones first, then those stopped last, as retire() leaves them.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return stopped(a) < 0 ? stopped(b) >= 0 : stopped(b) >= 0 && stopped(a) > stopped(b);
    });
    running_ = std::count_if(order.begin(), order.end(), [&](std::size_t i) { return stopped(i) < 0; });
    groups_ = groups_of(running_, plan_.group());
    population_.set(own, std::move(order));
}

}  // namespace whorl
