// What a run leaves behind, and how an interrupted run finds its way back.
//
//     config.toml      the resolved config            metrics.jsonl   one JSON object a line, append-only
//     manifest.json    versions, machine, seeds       checkpoints/step-N/{model,optimizer}.safetensors, state.json,
//     report/          figures and tables                                checksums.json
//                                                      snapshots/step-N.safetensors  where they were asked for
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/value.hpp"
#include "core/io/checkpoint.hpp"
#include "core/io/descriptor.hpp"
#include "core/io/snapshot_files.hpp"

namespace whorl {

class RunDirectory {
public:
    /// Makes the folder, holds it (see hold), and only then writes config.toml. Throws UserError when `path` already
    /// holds a run or any other files, or when another process is about to make a run of it; then nothing was touched.
    static RunDirectory create(const std::string& path, std::string_view config_toml);
    /// Opens an existing run. Throws UserError when there is none. Changes nothing on disk.
    static RunDirectory open(const std::string& path);
    /// True when the folder holds a config.toml.
    static bool exists(const std::string& path);

    /// Takes the run for this process alone, until the last copy of this object is gone or the process ends, however
    /// it ends. Throws UserError when another process holds it.
    void hold();
    /// Throws RuntimeFailure when a run that is held no longer lies at its path: the folder was renamed, replaced or
    /// removed. What writes into a run asks this first.
    void check_in_place() const;

    const std::string& path() const { return path_; }
    std::string config_path() const { return path_ + "/config.toml"; }
    std::string metrics_path() const { return path_ + "/metrics.jsonl"; }
    std::string manifest_path() const { return path_ + "/manifest.json"; }
    std::string checkpoints_path() const { return path_ + "/checkpoints"; }
    std::string snapshots_path() const { return path_ + "/snapshots"; }
    std::string report_path() const { return path_ + "/report"; }

    void write_manifest(std::string_view json) const;

    /// Appends one line (a JSON object without newlines). A kill can leave at most one half-written line at the end, so
    /// truncate before appending to a run that was interrupted.
    void append_metrics(std::string_view json_line) const;
    /// Makes the lines so far survive a power cut: before a checkpoint that counts on them.
    void sync_metrics() const;
    /// Removes half-written files and checkpoints that a killed process left.
    void remove_unfinished() const;
    /// All whole lines, without their newlines; a half-written last line is left out.
    std::vector<std::string> read_metrics() const;
    /// Parses the whole lines one after the other until `visit` returns false. A row's source is "…/metrics.jsonl:N",
    /// N counting from 1. Throws UserError for a line that is no JSON object.
    void visit_metrics(const std::function<bool(const Document& row)>& visit) const;
    /// Keeps the first `lines` whole lines, to resume where a checkpoint was made. Throws UserError when there are
    /// fewer.
    void truncate_metrics(std::size_t lines) const;
    /// Cuts before the first line whose "step" exceeds `step`, and any half-written last line.
    void truncate_metrics_after_step(std::int64_t step) const;

    CheckpointFiles save_checkpoint(std::int64_t step, const CheckpointContent& content) const;
    std::vector<CheckpointFiles> checkpoints() const { return list_checkpoints(checkpoints_path()); }
    /// The newest that verifies; empty when there is none. `skipped` gets one line for each newer, damaged one.
    std::optional<CheckpointFiles> newest_valid_checkpoint(std::vector<std::string>* skipped = nullptr) const;
    /// The newest that verifies; empty while there is none at all. `notes` gets a line that people should see for each
    /// newer, damaged one. Throws UserError, saying what can be done, when there are some and all are damaged.
    std::optional<CheckpointFiles> newest_checkpoint(std::vector<std::string>& notes) const;
    /// What can be done about a run whose checkpoints are lost, as the end of an error's line.
    std::string ways_out() const;
    /// Removes all but the newest `keep` of the checkpoints up to step `last`, and what interrupted writes left. Later
    /// ones are damaged ones that the run went back behind: they count for nothing, and are replaced when it gets there
    /// again.
    void prune_checkpoints(std::size_t keep, std::int64_t last = INT64_MAX) const;

    /// Writes snapshots/step-N.safetensors, whole or not at all.
    void save_snapshot(std::int64_t step, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) const;
    std::vector<SnapshotFile> snapshots() const { return list_snapshots(snapshots_path()); }
    /// Removes those of later steps, and what interrupted writes left of them.
    void remove_snapshots_after(std::int64_t step) const;

private:
    explicit RunDirectory(std::string path) : path_(std::move(path)) {}

    /// write(), whose failure is the machine's, and the folder's that went away meanwhile, if it did.
    template <class Write>
    void in_place(const Write& write) const;

    std::string path_;
    std::shared_ptr<const Descriptor> held_;  // the locked folder
};

}  // namespace whorl
