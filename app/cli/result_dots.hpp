// Results on disk as the dots and curves of the views `table` and `scaling`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viz/panels/scaling.hpp"
#include "viz/panels/table.hpp"

namespace whorl::cli {

/// From a folder with pieces of a published table (`reproduce --full`; one of its .json files does as well), a sweep, a
/// finished run (a row for each test size), or a folder of runs COLUMN/ROW (`reproduce --quick`). Throws UserError for
/// anything else, and naming the file that cannot be read.
viz::ResultDots load_result_dots(const std::string& path);

/// Accuracy against state: `pieces` are paths of pieces of several widths of a published table, `column` one of its
/// tasks ("": the first that they have). Time against length: `timings` are files of `whorl bench … --json`, of whose
/// rows those count that differ in length alone. Either may be empty.
viz::ScalingData load_scaling(const std::vector<std::string>& pieces, const std::string& column,
                              const std::vector<std::string>& timings);

/// Whether a file is a stored benchmark rather than a result.
bool is_bench(const std::string& path);

}  // namespace whorl::cli
