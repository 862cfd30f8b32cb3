// Replicas of stored pieces of a table (`reproduce --full`): their weights are gone but for the best one's.
#pragma once

#include <string>
#include <vector>

#include "viz/views/overview_table.hpp"

namespace whorl::viz {

/// The files of pieces in `path`, a file or a folder, and up to four folders below it, by name.
std::vector<std::string> piece_files(const std::string& path);

/// Throws UserError naming file and key for a file that is no such piece.
std::vector<FoundReplica> replicas_of_piece(const std::string& file, double pass);

}  // namespace whorl::viz
