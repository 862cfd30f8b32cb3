#include "experiments/tables/population_result.hpp"

#include <cmath>
#include <map>

#include "core/base/error.hpp"
#include "core/io/text.hpp"
#include "core/training/checkpoint.hpp"
#include "experiments/run/session.hpp"

namespace whorl {
namespace {

std::int64_t whole_number(const Value& row, const char* key) {
    const Value* found = find(row, key);
    const auto* number = found ? std::get_if<std::int64_t>(&found->data) : nullptr;
    return number ? *number : -1;
}

// Positions that a replica has computed after so many steps, as the metrics say: they have a row wherever one stops.
std::map<std::int64_t, std::int64_t> tokens_by_step(const RunDirectory& run) {
    std::map<std::int64_t, std::int64_t> tokens;
    for (const std::string& line : run.read_metrics()) {
        const Document row = parse_json(line, run.metrics_path());
        const std::int64_t step = whole_number(row.root, "step"), count = whole_number(row.root, "tokens");
        if (step >= 0 && count >= 0) tokens[step] = count;
    }
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

// Metrics are a file that people may edit.
void check(const Evaluation& evaluation, std::size_t replicas, const std::string& source) {
    for (const auto* rows : {&evaluation.accuracy, &evaluation.loss}) {
        bool fits = rows->size() == evaluation.sizes.size();
        for (const auto& row : *rows) fits = fits && row.size() == replicas;
        if (!fits)
            throw UserError(one_line(source + ": the " + split_name(evaluation.split) + " row has not one number for " +
                                     "each size and each of " + std::to_string(replicas) + " replicas"));
    }
}

}  // namespace

std::int64_t PopulationResult::tokens() const {
    std::int64_t sum = 0;
    for (const ReplicaResult& replica : replicas) sum += replica.tokens;
    return sum;
}

std::optional<PopulationResult> read_population_result(const RunDirectory& run, const RunSetup& setup) {
    const auto result = finished_result(run);
    const auto validation = last_evaluation(run, Split::validation);
    if (!result || !validation) return std::nullopt;
    const Evaluation& test = result->test;
    const std::vector<ReplicaHyper> replicas = replicas_of(setup.config.replicas);
    for (const Evaluation* one : {&*validation, &test}) check(*one, replicas.size(), run.metrics_path());
    const Standing standing = stored_standing(*run.newest_valid_checkpoint());  // finished runs have one
    const auto by_step = tokens_by_step(run);
    PopulationResult population{setup.data->chance(), result->seconds, validation->sizes, test.sizes, {}};
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
                                       finite(of_replica(validation->loss, r))});
    }
    return population;
}

}  // namespace whorl
