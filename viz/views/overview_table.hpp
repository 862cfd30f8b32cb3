// Collects what is known of replicas, in whatever order it is found, into keys and dots.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "viz/panels/overview_data.hpp"

namespace whorl::viz {

struct FoundReplica {
    std::string run, name, opens{};
    std::vector<std::pair<OverviewKey, Known>> known{};

    void put(OverviewKey key, Known value) { known.emplace_back(std::move(key), std::move(value)); }
    void put(const std::string& input, Known value) { put(OverviewKey{input}, std::move(value)); }
};

/// Inputs that are one and the same for all replicas of each run come first, then other inputs, then results; each as
/// they were first met.
OverviewData overview_of(const std::vector<FoundReplica>& replicas);

/// Accuracies of one replica at sizes, unscaled, as results: at the size `read_at` (0: the largest), at each, and the
/// size up to which all are solved.
void put_accuracies(FoundReplica& replica, const std::vector<std::int64_t>& sizes, const std::vector<double>& accuracy,
                    double chance, std::int64_t read_at, double pass);

}  // namespace whorl::viz
