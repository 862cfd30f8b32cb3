#include "core/training/training_step.hpp"

namespace whorl {

TrainingStep::TrainingStep(const TrainingConfig& config, const DataSource& data, TrainingPass& pass,
                           const ModelShape& longest, Population& population, Backend& backend, const BatchPart& part)
    : config_(config),
      data_(data),
      pass_(pass),
      population_(population),
      backend_(backend),
      part_(part),
      queue_(backend, population.replicas()),
      maker_(data.on_device(backend, longest.length)),
      loader_(backend),
      most_replicas_(longest.replicas),
      recordings_(backend),
      scratch_(backend.allocate(backend.gradient_norm_memory(population.gradient()).scratch)),
      norm_scratch_(Arena(scratch_.data(), backend.device()).bytes(scratch_.size())) {}

void TrainingStep::load(std::int64_t at, const Rows& rows) {
    const StepNumbers& now = queue_.steps[static_cast<std::size_t>(at)];
    ModelShape shape = pass_.shape();
    shape.replicas = most_replicas_;
    loader_.bind(shape);
    for (std::int64_t i = 0; i < rows.count; ++i) {
        const ReplicaNumbers& replica = queue_.replicas[static_cast<std::size_t>(rows.first + i)];
        for (std::int64_t b = 0; b < shape.batch; ++b)
            loader_.put(i, b, data_,
                        {replica.data_seed,
                         Split::train,
                         static_cast<std::uint64_t>(now.step),
                         static_cast<std::uint64_t>(part_.first + b),
                         {data_.min_size(), now.size}});
    }
    loader_.upload(pass_.tokens(), pass_.supervision());
}

void TrainingStep::work(const Rows& rows) {
    const auto of = [&](const Tensor& tensor) { return rows_of(tensor, rows.first, rows.count); };
    OptimizerStep step = queue_.step(config_.optimizer, rows);
    step.loss = pass_.losses().loss;
    step.correct = pass_.losses().correct;
    step.used = pass_.losses().used;
    if (maker_)
        maker_->make({step.steps, step.replicas, data_.min_size(), pass_.tokens(), pass_.supervision(), part_.first});
    const Tensor gradient = rows_of(population_.gradient(), 0, rows.count), parameters = of(population_.parameters());
    pass_.gradient(parameters, gradient, config_.loss.label_smoothing);
    if (part_.others) part_.others->combine(gradient, pass_.losses());
    backend_.gradient_norm(step, gradient, norm_scratch_);
    backend_.adamw(step, gradient, population_.mask(), parameters, of(population_.first_moment()),
                   of(population_.second_moment()));
}

void TrainingStep::ask(std::int64_t at, const Rows& rows) {
    if (!maker_) load(at, rows);
    recordings_.run(pass_, rows, part_.others, [this, rows] { work(rows); });
}

}  // namespace whorl
