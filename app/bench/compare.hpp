// This run's benchmarks beside an earlier run's.
#pragma once

#include <string>
#include <vector>

#include "app/bench/report.hpp"

namespace whorl {

/// Reads what `whorl bench --json` wrote. Throws UserError naming file and key.
BenchReport load_report(const std::string& path);

struct BenchComparison {
    std::vector<std::string> lines;  // one a row, and one for everything that makes the two incomparable
    std::int64_t compared = 0, slower = 0;
};

/// Rows are the same when name and sizes are. `slower` counts those whose median is above (1 + tolerance) times the
/// earlier one.
BenchComparison compare_reports(const BenchReport& now, const BenchReport& earlier, double tolerance);

}  // namespace whorl
