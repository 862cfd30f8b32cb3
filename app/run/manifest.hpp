// manifest.json: where and with what a run was made. Nothing in it influences results; everything that does is in
// config.toml, of which it keeps a copy that shows later changes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/run/setup.hpp"
#include "core/io/run_directory.hpp"

namespace whorl {

/// What this program was built from, and for what.
struct BuildInfo {
    std::string version, commit, compiler;
    std::string type{};    // CMake's build type, as "Release"
    std::string target{};  // processors it runs on: "x86-64-v3", "native", …
    std::string gpu{};     // GPUs it holds code for, as "CUDA 13.0 for 90-real"; empty: none
};
BuildInfo build_info();
/// "whorl 0.2.0, commit …, GCC …, Release, x86-64-v3, no GPU code"
std::string version_text(const BuildInfo& build);

/// Empty where a processor computes the bits that every build promises (same_build); else why this build's are its own.
std::string why_own_bits(const BuildInfo& build);

/// What a run promises on that device: "same_replica, same_build".
std::string determinism_text(const RunSetup& setup, const std::string& device);

/// What may change a run's bits without being in its config: build and machine.
struct Origin {
    BuildInfo build;
    std::string processor, device;  // the device without its number of threads, which changes nothing

    /// The bits are those of every such build, whatever the compiler and the processor.
    bool same_build() const;

    /// "whorl 0.1.0, commit …, GCC …, on AMD …, CPU"
    std::string text() const;
};
/// Of this process, computing on a device of that description.
Origin origin_here(const std::string& device);
/// Of the process that wrote the manifest; empty when there is none.
std::optional<Origin> stored_origin(const RunDirectory& run);
/// "commit: abc there, def here; …", empty when both compute the same bits.
std::string origin_differences(const Origin& there, const Origin& here);

/// The status of a run without a manifest: it ended before its first step.
inline constexpr const char* kNotBegun = "not begun";

/// What changes while a run goes on.
struct RunStatus {
    std::string status = kNotBegun;  // or running, interrupted, finished
    std::int64_t step = 0;
    std::int64_t alive = 0, solved = 0;  // replicas that stayed finite; those stopped because they were solved
    double seconds = 0;                  // of all processes that worked on it
    std::vector<std::string> earlier;    // other builds and machines that worked on it, as Origin::text
    std::int64_t devices = 1;            // that work on it now
    std::int64_t snapshots = 0;          // moments whose parameters it keeps, at most
};

void save_manifest(const RunDirectory& run, const RunSetup& setup, const std::string& device, const RunStatus& status);

/// The status in manifest.json; the default when there is none yet. Throws UserError naming file and key for values of
/// the wrong kind or range.
RunStatus load_status(const RunDirectory& run);

/// The setup that an existing run trains: its config.toml, held against the copy in manifest.json. Throws UserError
/// naming the file and every key that was changed since the run began. `notes` gets a line when the manifest, written
/// by an earlier version, holds no copy to check by.
RunSetup load_setup(const RunDirectory& run, std::vector<std::string>* notes = nullptr);

}  // namespace whorl
