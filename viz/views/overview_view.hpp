// Results on disk as the dots of an overview: a sweep, a table's folder, any folder of runs, or stored pieces of a
// table.
#pragma once

#include <string>
#include <vector>

#include "viz/panels/overview_data.hpp"

namespace whorl::viz {

/// Whether `path` is a folder of runs, or holds pieces of a table, rather than one model or run.
bool holds_results(const std::string& path);

/// Of each path: the run itself, or the runs in it up to two folders below, or else the pieces (`reproduce --full`'s
/// .json) in it. Keys are what the runs' configs differ in ("model.headdim"), what distinguishes their replicas
/// ("learning_rate"), and what came out ("accuracy" at the size where the sweep is read, else at the largest of the
/// test, in percent and scaled; "accuracy.40"; "solved_size", up to which all tested sizes are). Of runs two folders
/// below "column" and "row" are those folders. A run that is not finished or cannot be read has no dots, and `missing`
/// says so. Throws UserError for a path that holds no result.
OverviewData load_overview(const std::vector<std::string>& paths);

}  // namespace whorl::viz
