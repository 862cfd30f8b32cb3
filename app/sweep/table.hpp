// A sweep's results as a table, read from its folder.
#pragma once

#include <string>

#include "app/sweep/sweep.hpp"
#include "app/tables/table.hpp"

namespace whorl {

/// True when the folder holds a sweep.
bool is_sweep(const std::string& folder);
/// "DIR/runs.toml"
std::string sweep_record_path(const std::string& folder);
/// Reads runs.toml and the runs beside it: one section, a line a run. Throws UserError naming the file.
ResultTable read_sweep_table(const std::string& folder);

}  // namespace whorl
