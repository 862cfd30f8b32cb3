#include "app/tables/population_result.hpp"

#include <cmath>
#include <map>

#include "app/run/session.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/numerics/activations.hpp"
#include "core/training/checkpoint.hpp"

namespace whorl {
namespace {

// Positions that a replica has computed after so many steps, as the metrics say: they have a row wherever one stops.
std::map<std::int64_t, std::int64_t> tokens_by_step(const RunDirectory& run) {
    std::map<std::int64_t, std::int64_t> tokens;
    run.visit_metrics([&](const Document& row) {
        const Value *step = find(row.root, "step"), *count = find(row.root, "tokens");
        if (step && count)
            tokens[binding::read_integer(*step, {&row.source, "step"}, at_least(0), 0, INT64_MAX)] =
                binding::read_integer(*count, {&row.source, "tokens"}, at_least(0), 0, INT64_MAX);
        return true;
    });
    return tokens;
}

std::int64_t tokens_at(const std::map<std::int64_t, std::int64_t>& by_step, std::int64_t step) {
    const auto found = by_step.lower_bound(step);
    return found != by_step.end() ? found->second : by_step.empty() ? 0 : by_step.rbegin()->second;
}

std::vector<double> of_replica(const std::vector<std::vector<double>>& values, std::size_t replica) {
    std::vector<double> result;
    for (const auto& at_size : values) result.push_back(at_size[replica]);
    return result;
}

std::vector<std::optional<double>> finite(const std::vector<double>& values) {
    std::vector<std::optional<double>> result;
    for (const double value : values) result.push_back(std::isfinite(value) ? std::optional(value) : std::nullopt);
    return result;
}

double bits_of(const PopulationResult& population, const ReplicaResult& replica, std::size_t size) {
    if (size >= replica.test_loss.size()) throw UserError("the results have no loss on test data");
    const double ideal = size < population.ideal_bits.size() ? population.ideal_bits[size] : 0;
    return (replica.test_loss[size] ? *replica.test_loss[size] / numerics::log(2.0)
                                    : -numerics::log(population.chance) / numerics::log(2.0)) -
           ideal;
}

}  // namespace

std::int64_t PopulationResult::tokens() const {
    std::int64_t sum = 0;
    for (const ReplicaResult& replica : replicas) sum += replica.tokens;
    return sum;
}

double score_of(const PopulationResult& population, const ReplicaResult& replica, std::size_t size) {
    switch (population.metric) {
        case Metric::accuracy:
            break;
        case Metric::found:
            if (size >= replica.found.size()) throw UserError("the results have no share of answers found");
            return replica.found[size];
        case Metric::bits:
            return bits_of(population, replica, size);
    }
    return scaled_accuracy(replica.test[size], population.chance);
}

std::optional<PopulationResult> read_population_result(const RunDirectory& run, const RunSetup& setup) {
    const auto result = finished_result(run, setup);
    const auto validation = last_evaluation(run, setup, Split::validation);
    const auto checkpoint = run.newest_valid_checkpoint();
    if (!result || !validation || !checkpoint) return std::nullopt;
    const Evaluation& test = result->test;
    const std::vector<ReplicaHyper> replicas = replicas_of(setup.config.replicas);
    const Standing standing = stored_standing(*checkpoint, setup.config.replicas.count());
    const auto by_step = tokens_by_step(run);
    PopulationResult population{setup.data->chance(),
                                result->seconds,
                                validation->sizes,
                                test.sizes,
                                {},
                                setup.data->in_bits() ? Metric::bits : Metric::accuracy,
                                test.ideal_bits};
    for (std::size_t r = 0; r < replicas.size(); ++r) {
        const ReplicaHyper& one = replicas[r];
        const std::int64_t steps = standing.stopped_at[r] < 0 ? result->step : standing.stopped_at[r];
        population.replicas.push_back({{one.learning_rate, one.weight_decay, one.dt},
                                       static_cast<std::int64_t>(one.init_seed),
                                       steps,
                                       tokens_at(by_step, steps),
                                       standing.reason[r],
                                       of_replica(validation->accuracy, r),
                                       of_replica(test.accuracy, r),
                                       finite(of_replica(validation->loss, r)),
                                       of_replica(test.found, r),
                                       finite(of_replica(test.loss, r))});
    }
    return population;
}

}  // namespace whorl
