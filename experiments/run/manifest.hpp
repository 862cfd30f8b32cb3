// manifest.json: where and with what a run was made. Nothing in it influences results; everything that does is in
// config.toml.
#pragma once

#include <string>

#include "core/io/run_directory.hpp"
#include "experiments/run/setup.hpp"

namespace whorl {

/// Version, commit and compiler of this program.
struct BuildInfo {
    std::string version, commit, compiler;
};
BuildInfo build_info();

/// What changes while a run goes on.
struct RunStatus {
    std::string status = "running";  // running, interrupted, finished
    std::int64_t step = 0;
    std::int64_t alive = 0, solved = 0;  // replicas that stayed finite; those stopped because they were solved
    double seconds = 0;                  // of all processes that worked on it
};

void save_manifest(const RunDirectory& run, const RunSetup& setup, const std::string& device, const RunStatus& status);

/// The status in manifest.json; the default when there is none yet.
RunStatus load_status(const RunDirectory& run);

}  // namespace whorl
