// Overviews that were read from disk, shared by all desks of the process: the worker reads, the window looks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viz/panels/overview_data.hpp"

namespace whorl::viz {

/// Reads what was not read yet; no paths: the trained models that ship. May be called from any thread. Throws UserError
/// as load_overview.
std::shared_ptr<const OverviewData> overview_at(const std::vector<std::string>& paths);

/// Null where it was not read yet.
std::shared_ptr<const OverviewData> known_overview(const std::vector<std::string>& paths);

}  // namespace whorl::viz
