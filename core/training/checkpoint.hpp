// A trainer's snapshot as files: parameters and moments by name with a leading replica axis [R,…], and state.json.
#pragma once

#include <string>

#include "core/io/run_directory.hpp"
#include "core/training/stored_slices.hpp"
#include "core/training/trainer.hpp"

namespace whorl {

/// Writes `snapshot` as checkpoints/step-N of `run`. `validation` (may be empty) ranks the replicas for `--replica
/// best`.
void save_checkpoint(const RunDirectory& run, const LanguageModel& model, const TrainerSnapshot& snapshot,
                     const CheckpointLabel& label, const Evaluation& validation);

/// Reads one back. Throws UserError when the files are of another model or number of replicas.
TrainerSnapshot load_checkpoint(const CheckpointFiles& files, const ParameterLayout& layout, std::int64_t replicas);

/// The last evaluation stored in a checkpoint; empty sizes when there was none. Throws UserError when it is of another
/// number of replicas.
Evaluation stored_validation(const CheckpointFiles& files, std::int64_t replicas);

/// Which replicas were stopped, when and why, as of a checkpoint. Throws UserError when it is of another number of
/// replicas.
Standing stored_standing(const CheckpointFiles& files, std::int64_t replicas);

}  // namespace whorl
