// Snapshots: the parameters of a population, without what training needs to go on, one file a moment:
//
//     snapshots/step-0.safetensors, snapshots/step-1.safetensors, …
//
// They are read as model files are (checkpoint_file.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace whorl {

struct SnapshotFile {
    std::int64_t step = 0;
    std::string path;
};

/// "step-120" + `suffix` → 120. Only the canonical spelling, so that no two names stand for one step.
std::optional<std::int64_t> step_in_name(std::string_view name, std::string_view suffix = "");

/// `folder`/step-N.safetensors
std::string snapshot_path(const std::string& folder, std::int64_t step);

/// By ascending step; none where the folder does not exist.
std::vector<SnapshotFile> list_snapshots(const std::string& folder);

/// Removes those of later steps, and what a killed process left half-written: the folder's run must be held. Throws
/// RuntimeFailure.
void remove_snapshots_after(const std::string& folder, std::int64_t step);

}  // namespace whorl
