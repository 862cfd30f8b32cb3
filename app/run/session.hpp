// One run from its first step to its last, on disk: metrics, checkpoints, manifest; interrupted and taken up again at
// will.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app/run/setup.hpp"
#include "core/io/run_directory.hpp"
#include "core/training/trainer.hpp"

namespace whorl {

/// How far a run is, for people.
struct Progress {
    TrainingRow row;                                   // means since the last metrics row
    std::int64_t steps = 0;                            // of the whole run
    double seconds = 0;                                // of this process
    std::int64_t steps_before = 0, tokens_before = 0;  // done before this process began
    std::int64_t replicas = 1;
};

/// How a run is computed; `group` changes no result.
struct SessionOptions {
    GroupRequest group;              // replicas at once, memory: of each device
    bool allow_other_build = false;  // go on where another build or machine began: the bits may differ
};

/// progress and stop are called after every step, or after the steps that a device takes at once.
struct SessionHooks {
    std::function<void(const Progress&)> progress = [](const Progress&) {};  // should return quickly
    std::function<void(const Evaluation&)> evaluated = [](const Evaluation&) {};
    std::function<void(const std::string&)> note = [](const std::string&) {};  // one line that people should see
    std::function<bool()> stop = [] { return false; };                         // true: save and leave
};

struct SessionResult {
    bool interrupted = false;
    std::int64_t step = 0;
    std::int64_t alive = 0;   // replicas whose numbers stayed finite
    std::int64_t solved = 0;  // replicas that were stopped because they were solved
    double seconds = 0;       // training and evaluation, all processes together
    Evaluation test;          // empty when interrupted
};

/// Trains until the last step or until hooks.stop(). Goes on from the newest valid checkpoint in `run`; the same bytes
/// result as without the interruption. The last checkpoint is written after everything else, so that a run with one is
/// complete. Over how many devices the replicas are spread changes no byte but the manifest's. Throws UserError when
/// another process works on the run, when another build or machine began it and `options` do not allow that, and when
/// the checkpoints of a run that had some are lost or damaged: it does not begin anew by itself. Throws RuntimeFailure
/// when the run's folder goes away meanwhile.
SessionResult train_run(const RunSetup& setup, const RunDirectory& run, const Devices& devices,
                        const SessionHooks& hooks, const SessionOptions& options = {});

/// What metrics.jsonl and the manifest say about a finished run of `setup`; empty when it is not finished.
std::optional<SessionResult> finished_result(const RunDirectory& run, const RunSetup& setup);

/// The last evaluation of that split in metrics.jsonl. Throws UserError naming file, line and key for a row that is no
/// evaluation of the setup's replicas.
std::optional<Evaluation> last_evaluation(const RunDirectory& run, const RunSetup& setup, Split split);

}  // namespace whorl
