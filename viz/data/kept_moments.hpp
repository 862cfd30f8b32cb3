// The moments of its training at which a stored run kept its parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/io/run_directory.hpp"

namespace whorl::viz {

struct KeptMoment {
    std::int64_t step = 0;
    std::string path;  // as load_model takes it
};

struct KeptMoments {
    std::vector<KeptMoment> at;  // steps ascend
    bool snapshots = false;      // false: only the checkpoints that training goes on from
};

/// The run's snapshots (checkpoint.snapshots); of a run that has none, its checkpoints.
KeptMoments kept_moments(const RunDirectory& run);

/// The last of them that is not later than `step`, else the first; absent where nothing was kept.
std::optional<KeptMoment> moment_at(const KeptMoments& moments, std::int64_t step);

}  // namespace whorl::viz
