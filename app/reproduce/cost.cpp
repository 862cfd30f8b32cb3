#include "app/reproduce/cost.hpp"

#include <chrono>

#include "app/reproduce/parameter_match.hpp"
#include "core/training/schedule.hpp"
#include "core/training/trainer.hpp"

namespace whorl {
namespace {

std::int64_t tokens_of_step(const RunSetup& setup, std::int64_t size) {
    return setup.config.training.batch * bucket_length(setup.data->positions(size));
}

std::int64_t tokens_of_replica(const RunSetup& setup) {
    const TrainingConfig& training = setup.config.training;
    const Curriculum& curriculum = training.curriculum;
    if (curriculum.reacts()) return training.steps * tokens_of_step(setup, curriculum.largest());
    std::int64_t tokens = 0;
    for (std::int64_t step = 0; step < training.steps; ++step)
        tokens += tokens_of_step(setup, max_size(curriculum, step, training.steps));
    return tokens;
}

std::int64_t tokens_of(const EvaluationConfig& on, const DataSource& data) {
    std::int64_t tokens = 0;
    for (const std::int64_t size : on.sizes) tokens += on.count * bucket_length(data.positions(size));
    return tokens;
}

std::int64_t evaluated_tokens(const RunSetup& setup) {
    const RunConfig& config = setup.config;
    const std::int64_t every = config.validation.every;
    const std::int64_t validations = every > 0 ? (config.training.steps + every - 1) / every : 1;
    return validations * tokens_of(config.validation.on, *setup.data) + tokens_of(config.test, *setup.data);
}

}  // namespace

PieceCost cost_of(const PieceJob& job, bool more_seeds) {
    const ReplicaGrid& grid = job.rates.config.replicas;
    const SecondStage second = job.piece.table->second_stage();
    PieceCost cost;
    const std::int64_t settings = grid.count() / grid.seeds;
    cost.replicas = grid.count() + (more_seeds ? std::min(settings, second.settings) * second.seeds : 0);
    cost.tokens_per_replica = tokens_of_replica(job.rates);
    cost.evaluated_per_replica = evaluated_tokens(job.rates);
    cost.operations = 6 * static_cast<double>(parameter_count(job.rates.model)) * cost.weighted_tokens();
    return cost;
}

double measured_seconds(const PieceJob& job, bool more_seeds, const Devices& devices, const GroupRequest& group) {
    constexpr std::int64_t kSteps = 4;
    const RunConfig& config = job.rates.config;
    TrainingConfig training = config.training;
    training.steps = 3 * kSteps;
    training.curriculum = {CurriculumShape::fixed, 0, training.curriculum.largest(), 0, {}, 0, 0};
    devices.set_precision(config.precision);
    const std::vector<ReplicaHyper> replicas = replicas_of(config.replicas);
    Trainer trainer(training, job.rates.model, *job.rates.data, replicas, devices, group);
    trainer.step(kSteps);  // warms up: memory, recorded steps
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    trainer.step(kSteps);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const double tokens = static_cast<double>(kSteps * tokens_of_step(job.rates, training.curriculum.largest())) *
                          static_cast<double>(replicas.size());
    return cost_of(job, more_seeds).weighted_tokens() * seconds / tokens;
}

}  // namespace whorl
