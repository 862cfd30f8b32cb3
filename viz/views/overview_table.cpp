#include "viz/views/overview_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tasks/task.hpp"

namespace whorl::viz {
namespace {

std::size_t place_of(std::vector<OverviewKey>& keys, const OverviewKey& key) {
    const auto found =
        std::find_if(keys.begin(), keys.end(), [&](const OverviewKey& one) { return one.name == key.name; });
    if (found == keys.end()) return keys.push_back(key), keys.size() - 1;
    found->roles.insert(key.roles.begin(), key.roles.end());
    if (found->label != key.label)
        found->label = key.name == "accuracy" ? "scaled accuracy at the largest size" : "";  // of several sizes
    return static_cast<std::size_t>(found - keys.begin());
}

/// 0: what runs differ in, 1: what replicas of one run may, 2: what came out.
std::vector<int> ranks_of(const OverviewData& data, const std::vector<FoundReplica>& replicas) {
    std::vector<int> ranks;
    for (std::size_t k = 0; k < data.keys.size(); ++k) {
        std::map<std::string, Known> of_run;
        bool same = true;
        for (std::size_t d = 0; d < replicas.size(); ++d)
            same =
                same && of_run.emplace(replicas[d].run, data.dots[d].known[k]).first->second == data.dots[d].known[k];
        ranks.push_back(data.keys[k].result ? 2 : same && values_of(data, k).size() > 1 ? 0 : 1);
    }
    return ranks;
}

OverviewData with_keys_in_order(const OverviewData& data, const std::vector<int>& ranks) {
    OverviewData ordered;
    for (const OverviewDot& dot : data.dots) ordered.dots.push_back({dot.name, dot.opens, {}});
    for (const int rank : {0, 1, 2})
        for (std::size_t k = 0; k < data.keys.size(); ++k) {
            if (ranks[k] != rank) continue;
            ordered.keys.push_back(data.keys[k]);
            for (std::size_t d = 0; d < data.dots.size(); ++d) ordered.dots[d].known.push_back(data.dots[d].known[k]);
        }
    return ordered;
}

}  // namespace

OverviewData overview_of(const std::vector<FoundReplica>& replicas) {
    OverviewData data;
    for (const FoundReplica& replica : replicas) {
        OverviewDot dot{replica.name, replica.opens, {}};
        for (const auto& [key, value] : replica.known) {
            const std::size_t place = place_of(data.keys, key);
            if (dot.known.size() <= place) dot.known.resize(place + 1);
            dot.known[place] = value;
        }
        data.dots.push_back(std::move(dot));
    }
    for (OverviewDot& dot : data.dots) dot.known.resize(data.keys.size());
    return with_keys_in_order(data, ranks_of(data, replicas));
}

void put_accuracies(FoundReplica& replica, const std::vector<std::int64_t>& sizes, const std::vector<double>& accuracy,
                    double chance, std::int64_t read_at, double pass) {
    if (sizes.empty()) return;
    const auto named = std::find(sizes.begin(), sizes.end(), read_at);
    const auto read = named != sizes.end() ? named : std::max_element(sizes.begin(), sizes.end());
    const auto percent = [&](std::size_t i) { return 100 * scaled_accuracy(accuracy[i], chance); };
    replica.put({"accuracy", fmt::format("scaled accuracy at size {}", *read), "%", true, {}},
                percent(static_cast<std::size_t>(read - sizes.begin())));
    std::int64_t unsolved = INT64_MAX, solved = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        replica.put(
            {fmt::format("accuracy.{}", sizes[i]), fmt::format("scaled accuracy at size {}", sizes[i]), "%", true, {}},
            percent(i));
        if (percent(i) < pass) unsolved = std::min(unsolved, sizes[i]);
    }
    for (const std::int64_t size : sizes)
        if (size < unsolved) solved = std::max(solved, size);
    replica.put({"solved_size", "largest size up to which all are solved", "", true, {}}, static_cast<double>(solved));
}

}  // namespace whorl::viz
