#include "app/tables/summary.hpp"

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/merit.hpp"
#include "core/training/statistics.hpp"

namespace whorl {
namespace {

/// The replicas of one setting, in the population's order.
struct SettingGroup {
    ReplicaSetting setting;
    std::vector<std::size_t> replicas;
    Merit merit;  // the mean over them
};

std::vector<Merit> merits_of(const PopulationResult& population) {
    const std::size_t size = ranking_size(population.validation_sizes);
    std::vector<Merit> merits;
    for (const ReplicaResult& replica : population.replicas)
        merits.push_back({replica.validation[size],
                          replica.validation_loss[size].value_or(std::numeric_limits<double>::infinity()),
                          less_is_better(population.metric)});
    return merits;
}

// In the order in which the settings first appear.
std::vector<SettingGroup> groups_of(const PopulationResult& population) {
    std::vector<SettingGroup> groups;
    for (std::size_t r = 0; r < population.replicas.size(); ++r) {
        const ReplicaSetting& setting = population.replicas[r].setting;
        auto group = std::find_if(groups.begin(), groups.end(),
                                  [&](const SettingGroup& known) { return known.setting == setting; });
        if (group == groups.end()) group = groups.insert(groups.end(), {setting, {}, {}});
        group->replicas.push_back(r);
    }
    return groups;
}

std::vector<SettingGroup> ranked_groups(const PopulationResult& population) {
    const std::vector<Merit> merits = merits_of(population);
    std::vector<SettingGroup> groups = groups_of(population);
    for (SettingGroup& group : groups)
        for (const std::size_t r : group.replicas) {
            group.merit.in_bits = less_is_better(population.metric);
            group.merit.accuracy += merits[r].accuracy / static_cast<double>(group.replicas.size());
            group.merit.loss += merits[r].loss / static_cast<double>(group.replicas.size());
        }
    std::stable_sort(groups.begin(), groups.end(),
                     [](const SettingGroup& a, const SettingGroup& b) { return better(a.merit, b.merit); });
    return groups;
}

SettingGroup chosen_group(const PopulationResult& population) {
    const std::vector<SettingGroup> groups = ranked_groups(population);
    std::size_t most = 0;
    for (const SettingGroup& group : groups) most = std::max(most, group.replicas.size());
    return *std::find_if(groups.begin(), groups.end(),
                         [most](const SettingGroup& group) { return group.replicas.size() == most; });
}

std::int64_t passing(const std::vector<double>& values, double pass, Metric metric) {
    if (less_is_better(metric)) return 0;
    return std::count_if(values.begin(), values.end(), [pass](double value) { return value >= pass; });
}

SizeSummary summarize_size(const PopulationResult& population, std::size_t size, std::size_t best,
                           const std::vector<std::size_t>& chosen, double pass) {
    std::vector<double> all, seeds;
    for (const ReplicaResult& replica : population.replicas) all.push_back(score_of(population, replica, size));
    for (const std::size_t r : chosen) seeds.push_back(all[r]);
    const auto [min, max] = std::minmax_element(seeds.begin(), seeds.end());
    return {population.test_sizes[size],
            all[best],
            median(seeds),
            *min,
            *max,
            passing(seeds, pass, population.metric),
            median(all),
            passing(all, pass, population.metric)};
}

}  // namespace

std::size_t best_replica(const PopulationResult& population) {
    return best_of(merits_of(population));
}

std::vector<ReplicaSetting> ranked_settings(const PopulationResult& population) {
    std::vector<ReplicaSetting> settings;
    for (const SettingGroup& group : ranked_groups(population)) settings.push_back(group.setting);
    return settings;
}

Summary summarize(const PopulationResult& population, std::int64_t size, double pass) {
    const auto found = std::find(population.test_sizes.begin(), population.test_sizes.end(), size);
    if (found == population.test_sizes.end())
        throw UserError("the recipe's test.sizes lack " + std::to_string(size) + ", where the table is read");
    const SettingGroup group = chosen_group(population);
    Summary summary;
    summary.best_replica = best_replica(population);
    summary.chosen = group.setting;
    summary.seeds = static_cast<std::int64_t>(group.replicas.size());
    summary.replicas = static_cast<std::int64_t>(population.replicas.size());
    summary.metric = population.metric;
    summary.chance = population.chance, summary.seconds = population.seconds, summary.tokens = population.tokens();
    for (const ReplicaResult& replica : population.replicas) {
        summary.solved_early += replica.stopped == StopReason::solved ? 1 : 0;
        summary.failed += replica.stopped == StopReason::not_finite ? 1 : 0;
    }
    for (std::size_t i = 0; i < population.test_sizes.size(); ++i)
        summary.sizes.push_back(summarize_size(population, i, summary.best_replica, group.replicas, pass));
    summary.read_at = static_cast<std::size_t>(found - population.test_sizes.begin());
    return summary;
}

}  // namespace whorl
