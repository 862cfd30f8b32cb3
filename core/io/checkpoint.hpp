// A checkpoint: a folder step-N that counts only when each of its files matches the checksums in checksums.json.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/io/safetensors.hpp"

namespace whorl {

/// A state.json that is larger is none of ours.
inline constexpr std::uint64_t kMostStateBytes = std::uint64_t{64} << 20;

/// What to save; the views need to stay valid during the call only.
struct CheckpointContent {
    std::vector<TensorView> model;
    std::vector<TensorView> optimizer;
    std::string state_json;                       // counters, curriculum, schedules: the trainer's own
    std::map<std::string, std::string> metadata;  // goes into both safetensors files
};

/// A checkpoint on disk.
struct CheckpointFiles {
    std::int64_t step = 0;
    std::string folder;

    std::string model_path() const { return folder + "/model.safetensors"; }
    std::string optimizer_path() const { return folder + "/optimizer.safetensors"; }
    std::string state_path() const { return folder + "/state.json"; }
    std::string checksums_path() const { return folder + "/checksums.json"; }
    /// The text of state.json.
    std::string state_json() const;
};

/// Builds `parent`/.tmp-step-N, checksums.json last, and renames it to `parent`/step-N, replacing an earlier one.
/// `parent` must exist. Throws as AtomicFile does; nothing of an unfinished checkpoint counts.
CheckpointFiles write_checkpoint(const std::string& parent, std::int64_t step, const CheckpointContent& content);

/// Removes a checkpoint, if it is there; at no moment is it there in part. Throws RuntimeFailure.
void remove_checkpoint(const CheckpointFiles& checkpoint);

/// The checkpoints in `parent`, by ascending step; not verified. They come into being whole, so that one without its
/// checksums.json is damaged, not unfinished.
std::vector<CheckpointFiles> list_checkpoints(const std::string& parent);

/// Checks every file against checksums.json. Throws UserError naming the missing or damaged file.
void verify_checkpoint(const CheckpointFiles& checkpoint);

/// The checkpoint in a folder that the user named; its step comes from the folder's name. Verifies it.
CheckpointFiles open_checkpoint(const std::string& folder);

}  // namespace whorl
