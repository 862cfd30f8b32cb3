#include "experiments/reproduce/piece_summary.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/training/statistics.hpp"
#include "experiments/run/cell.hpp"

namespace whorl {
namespace {

/// How well validation speaks of something: higher accuracy first, then lower loss.
struct Merit {
    double accuracy = 0, loss = 0;

    bool operator>(const Merit& other) const {
        return accuracy != other.accuracy ? accuracy > other.accuracy : loss < other.loss;
    }
};

std::size_t largest(const std::vector<std::int64_t>& sizes) {
    return static_cast<std::size_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
}

Merit merit_of(const PieceReplica& replica, std::size_t size) {
    return {replica.validation[size], replica.validation_loss[size].value_or(std::numeric_limits<double>::infinity())};
}

/// The replicas of one learning rate.
struct RateGroup {
    double rate = 0;
    std::vector<const PieceReplica*> replicas;

    Merit merit(std::size_t size) const {
        Merit mean;
        for (const PieceReplica* replica : replicas) {
            const Merit one = merit_of(*replica, size);
            mean.accuracy += one.accuracy / static_cast<double>(replicas.size());
            mean.loss += one.loss / static_cast<double>(replicas.size());
        }
        return mean;
    }
};

// In the order in which the rates first appear.
std::vector<RateGroup> groups_of_rates(const PieceRecord& record) {
    std::vector<RateGroup> groups;
    for (const PieceReplica& replica : record.replicas) {
        const auto same = [&](const RateGroup& group) { return group.rate == replica.learning_rate; };
        auto group = std::find_if(groups.begin(), groups.end(), same);
        if (group == groups.end()) group = groups.insert(groups.end(), {replica.learning_rate, {}});
        group->replicas.push_back(&replica);
    }
    return groups;
}

std::vector<RateGroup> ranked_groups(const PieceRecord& record) {
    std::vector<RateGroup> groups = groups_of_rates(record);
    const std::size_t size = largest(record.validation_sizes);
    std::stable_sort(groups.begin(), groups.end(),
                     [&](const RateGroup& a, const RateGroup& b) { return a.merit(size) > b.merit(size); });
    return groups;
}

std::vector<double> scaled_at(const PieceRecord& record, const std::vector<const PieceReplica*>& replicas,
                              std::size_t size) {
    std::vector<double> values;
    for (const PieceReplica* one : replicas) values.push_back(scaled_accuracy(one->test[size], record.chance));
    return values;
}

std::int64_t passing(const std::vector<double>& values) {
    return std::count_if(values.begin(), values.end(), [](double value) { return value >= kPass; });
}

// Of several seeds, where there are any: one seed's luck is no ground to prefer its rate.
RateGroup best_rate(const PieceRecord& record) {
    const std::vector<RateGroup> groups = ranked_groups(record);
    std::size_t most = 0;
    for (const RateGroup& group : groups) most = std::max(most, group.replicas.size());
    return *std::find_if(groups.begin(), groups.end(),
                         [most](const RateGroup& group) { return group.replicas.size() == most; });
}

void summarize_seeds(const PieceRecord& record, std::size_t size, PieceSummary& summary) {
    const RateGroup group = best_rate(record);
    const std::vector<double> values = scaled_at(record, group.replicas, size);
    summary.rate = group.rate;
    summary.seeds = static_cast<std::int64_t>(values.size());
    summary.seeds_passed = passing(values);
    summary.seed_min = *std::min_element(values.begin(), values.end());
    summary.seed_median = median(values);
    summary.seed_max = *std::max_element(values.begin(), values.end());
    for (std::size_t i = 0; i < record.test_sizes.size(); ++i)
        summary.seed_curve.push_back(median(scaled_at(record, group.replicas, i)));
}

}  // namespace

std::vector<std::size_t> ranked_replicas(const PieceRecord& record) {
    std::vector<std::size_t> order(record.replicas.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const std::size_t size = largest(record.validation_sizes);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return merit_of(record.replicas[a], size) > merit_of(record.replicas[b], size);
    });
    return order;
}

std::vector<double> ranked_rates(const PieceRecord& record) {
    std::vector<double> rates;
    for (const RateGroup& group : ranked_groups(record)) rates.push_back(group.rate);
    return rates;
}

PieceSummary summarize(const PieceRecord& record) {
    const auto found = std::find(record.test_sizes.begin(), record.test_sizes.end(), record.test_size);
    const auto size = static_cast<std::size_t>(found - record.test_sizes.begin());
    std::vector<const PieceReplica*> all;
    for (const PieceReplica& replica : record.replicas) all.push_back(&replica);
    const std::vector<double> values = scaled_at(record, all, size);
    PieceSummary summary;
    summary.best_replica = ranked_replicas(record).front();
    summary.best = values[summary.best_replica];
    for (const double accuracy : record.replicas[summary.best_replica].test)
        summary.curve.push_back(scaled_accuracy(accuracy, record.chance));
    summary.median = median(values);
    summary.passed = passing(values);
    summary.replicas = static_cast<std::int64_t>(values.size());
    for (const PieceReplica& replica : record.replicas) {
        summary.solved_early += replica.stopped == StopReason::solved ? 1 : 0;
        summary.failed += replica.stopped == StopReason::not_finite ? 1 : 0;
    }
    summarize_seeds(record, size, summary);
    return summary;
}

}  // namespace whorl
