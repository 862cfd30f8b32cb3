// What a run keeps for looking back: the parameters of all replicas at moments of its training (checkpoint.snapshots).
//
// The moments are known beforehand: half of them spaced evenly up to the last step, half among those at which a
// timeline takes frames (timeline.hpp), for what changes fast changes early. Hence an interrupted run that goes on
// keeps the same ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/io/run_directory.hpp"
#include "core/training/stored_slices.hpp"
#include "core/training/trainer.hpp"

namespace whorl {

/// Of a run, all snapshots together.
inline constexpr std::int64_t kMostSnapshotBytes = 256'000'000;

/// At most `most` steps of 0 … `steps`, ascending; with one of them the last is there, with two also 0.
std::vector<std::int64_t> snapshot_steps(std::int64_t steps, std::int64_t most);

/// The most that a file of one moment takes.
std::int64_t snapshot_bytes(const ModelConfig& model, std::int64_t replicas, const CheckpointLabel& label);

class Snapshots {
public:
    /// `asked`: checkpoint.snapshots, of a training of `steps`. Run and trainer outlive it.
    Snapshots(const RunDirectory& run, const Trainer& trainer, std::int64_t steps, std::int64_t asked,
              CheckpointLabel label, std::int64_t most_bytes = kMostSnapshotBytes);

    /// Before the first step of a process, with the trainer as it goes on: what a process before it kept of later
    /// steps goes, for these are taken again.
    void begin();
    /// After every step, or after those up to a moment: keeps one when it is due or the training has finished. Throws
    /// as RunDirectory's writes do.
    void follow();
    /// From the trainer's step to the next moment; INT64_MAX when none is left.
    std::int64_t steps_to_next() const;

    /// As many moments as are kept at most: as were asked for, or as the run has or the bytes allow.
    std::int64_t moments() const { return static_cast<std::int64_t>(steps_.size()); }
    /// What people should know of moments that are not kept; empty where the bytes allow all.
    const std::string& note() const { return note_; }

private:
    void keep();

    const RunDirectory& run_;
    const Trainer& trainer_;
    CheckpointLabel label_;
    std::vector<std::int64_t> steps_;
    std::string note_;
    std::int64_t kept_at_ = -1;
};

}  // namespace whorl
