// Replicas of runs on disk, with what their configs differ in.
#pragma once

#include <string>
#include <vector>

#include "core/config/value.hpp"
#include "viz/views/overview_table.hpp"

namespace whorl::viz {

/// A run in a folder of runs: its path, and where it lies below that folder ("": it is the folder).
struct RunPlace {
    std::string path, below;
};
/// The run at `path`, or those up to two folders below it, by name.
std::vector<RunPlace> runs_below(const std::string& path);

/// How a sweep says that its runs are to be read; sizes as put_accuracies.
struct ReadRuns {
    std::int64_t size = 0;
    double pass = 90;
};

struct FoundRuns {
    std::vector<FoundReplica> replicas;
    std::size_t unfinished = 0;
    std::vector<std::string> unreadable{};  // why, a line each
};
FoundRuns find_replicas(const std::vector<RunPlace>& runs, const ReadRuns& how);

/// A config's settings as people would sweep them: "model.headdim" → 8. Those of layers count once where all layers
/// agree; what only says how a run is measured and kept is left out.
std::vector<std::pair<std::string, Known>> settings_in(const Value& config);

}  // namespace whorl::viz
