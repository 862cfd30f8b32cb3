// A training becomes a figure: one that was stored, or one that is made while it is watched.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app/run/setup.hpp"
#include "core/training/timeline.hpp"
#include "viz/data/kept.hpp"
#include "viz/panels/training.hpp"
#include "viz/views/turn_history.hpp"

namespace whorl::viz {

/// One replica at the moments of its training that were kept.
struct Moments {
    Exhibit exhibit;  // without weights
    std::int64_t trained_size = 0;
    std::vector<Moment> at;  // steps ascend

    /// The last moment that is not of a later step than `step`; the newest for -1. There must be one.
    const Moment& of(std::int64_t step) const;
};

/// A run on disk, as its metrics and the moments that it kept say.
struct StoredTraining {
    TrainingData data;
    Moments moments;  // empty where it kept no parameters yet
    std::int64_t step = 0, steps = 0;
    std::string status;  // of its manifest: "running", "finished", …
};

/// `replica` absent: the best by its last validation. Angles are drawn where two moments or more were kept
/// (checkpoint.snapshots, else checkpoint.keep: data.note says so). `before`: what was read of the same run earlier, so
/// that only new moments are read. Throws UserError where there is no run, no logged loss or no such replica.
StoredTraining load_stored_training(const std::string& run, std::optional<std::size_t> replica = {},
                                    const Address& address = {}, const StoredTraining* before = nullptr);

/// Its data alone.
TrainingData load_training(const std::string& run, std::optional<std::size_t> replica = {},
                           const Address& address = {});

struct Watching {
    std::optional<std::size_t> replica{};  // absent: the best in the end, at the largest test size
    std::int64_t rows = 60;                // of losses and accuracies, spread evenly over the steps
    std::int64_t examples = 128;           // an accuracy, of the validation split, at the sizes of the recipe's test
    std::function<void(std::int64_t)> progress{};  // told how many steps are done
};

/// A training that is looked at while it is made. Not shared between threads.
class WatchedTraining {
public:
    /// `setup` and the devices outlive it. Throws as the Trainer does, and for a replica that the recipe does not have.
    WatchedTraining(const RunSetup& setup, const Devices& devices, Watching watching = {});

    bool finished() const { return trainer_.finished(); }
    std::int64_t steps_done() const { return trainer_.steps_done(); }
    /// One step (Trainer::step), and where a row is due its losses and accuracies.
    void step();
    /// What there is so far; with the turns only where the training has a row. The last step always is one.
    TrainingData data(const Address& address = {}) const;
    /// The parameters of the replica that data() has chosen, at each moment that was kept.
    std::vector<Moment> moments() const;

private:
    std::size_t chosen() const;
    void take_row();

    const RunSetup& setup_;
    Watching watching_;
    Trainer trainer_;
    Timeline timeline_;
    TrainingData data_;
    std::vector<Evaluation> evaluations_;
};

/// Trains `setup` from its beginning and looks on; the bits are those of `whorl train`. Throws as the Trainer does, and
/// for a replica that the recipe does not have.
TrainingData watch_training(const RunSetup& setup, const Devices& devices, const Watching& watching = {},
                            const Address& address = {});

}  // namespace whorl::viz
