#include "app/reproduce/piece_training.hpp"

#include <algorithm>
#include <filesystem>

#include "app/run/config_difference.hpp"
#include "app/tables/summary.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/checkpoint_file.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

void make_parent(const std::string& path) {
    make_folders(fs::path(path).parent_path().string());
}

// The best replica's weights when it is one of those that `run` has added, the last ones.
void save_best(const PieceRecord& record, const RunSetup& setup, const std::string& run, const std::string& path) {
    const std::size_t best = best_replica(record);
    const std::size_t before = record.replicas.size() - static_cast<std::size_t>(setup.config.replicas.count());
    if (best < before) return;
    make_parent(path);
    const LoadedModel model = load_model(run, {static_cast<std::int64_t>(best - before), false});
    save_model(path, model.config, model.slice, model.task);
}

void remove_checkpoints(const std::string& run) {
    if (!RunDirectory::exists(run)) return;
    std::error_code error;
    fs::remove_all(RunDirectory::open(run).checkpoints_path(), error);  // left behind at worst
}

// Files, then the record, then what the record makes superfluous: killed anywhere, the same call goes on.
bool run_stage(const PieceJob& job, const RunSetup& setup, const std::string& folder, const Devices& devices,
               const PieceOptions& options, const SessionHooks& hooks, PieceRecord& record) {
    check_devices(setup, devices, options.session.group);
    make_parent(folder);
    const RunDirectory run = open_or_create(folder, setup);
    if (train_run(setup, run, devices, hooks, options.session).interrupted) return false;
    add_run(record, run, setup);
    save_best(record, setup, folder, job.files.best);
    make_parent(job.files.record);
    return true;
}

void finish_stage(const PieceJob& job, const PieceRecord& record, const PieceOptions& options,
                  const std::string& folder) {
    write_file(job.files.record, to_json(record));
    if (!options.keep_checkpoints) remove_checkpoints(folder);
}

std::vector<ReplicaSetting> best_settings(const PieceRecord& record, std::int64_t count) {
    std::vector<ReplicaSetting> settings = ranked_settings(record);
    settings.resize(std::min(settings.size(), static_cast<std::size_t>(count)));
    return settings;
}

std::string run_status(const std::string& name, const std::string& folder, std::int64_t steps) {
    if (!RunDirectory::exists(folder)) return "";
    std::vector<std::string> damaged;
    const auto newest = RunDirectory::open(folder).newest_valid_checkpoint(&damaged);
    return name + ": step " + std::to_string(newest ? newest->step : 0) + " of " + std::to_string(steps) +
           (damaged.empty() ? "" : ", damaged: " + one_line(damaged.front()));
}

}  // namespace

PieceJob make_job(const Piece& piece, const std::vector<std::string>& assignments, const std::string& out) {
    return {piece, rates_setup(piece, assignments), PieceFiles(out, piece)};
}

std::optional<PieceRecord> stored_record(const PieceJob& job) {
    std::error_code error;
    if (!fs::exists(job.files.record, error)) return std::nullopt;
    const PieceRecord record = load_piece_record(job.files.record);
    const RunConfig there = recipe_of(record, job.files.record);
    const auto differences = config_differences(to_value(there), to_value(job.rates.config));
    if (!differences.empty())
        throw UserError(one_line(job.files.record + ": is of another recipe (" + difference_text(differences) +
                                 "); choose another --out"));
    return record;
}

bool is_done(const std::optional<PieceRecord>& record, bool more_seeds) {
    return record && (record->more_seeds || !more_seeds);
}

std::optional<PieceRecord> train_piece(const PieceJob& job, const Devices& devices, const PieceOptions& options,
                                       const std::function<SessionHooks(const std::string& label)>& stage) {
    std::optional<PieceRecord> record = stored_record(job);
    const std::string label = job.piece.label();
    if (!record) {
        record = empty_record(job.piece, job.rates, job.rules);
        if (!run_stage(job, job.rates, job.files.rates, devices, options, stage(label), *record)) return std::nullopt;
        finish_stage(job, *record, options, job.files.rates);
    }
    if (is_done(record, options.more_seeds)) return record;
    const SecondStage second = job.piece.table->second_stage();
    const RunSetup seeds = seeds_setup(job.rates, best_settings(*record, second.settings), second.seeds);
    if (!run_stage(job, seeds, job.files.seeds, devices, options, stage(label + ", more seeds"), *record))
        return std::nullopt;
    record->more_seeds = true;
    finish_stage(job, *record, options, job.files.seeds);
    return record;
}

std::string piece_status(const PieceJob& job) {
    const std::optional<PieceRecord> record = stored_record(job);
    if (is_done(record, true)) return "done";
    const std::int64_t steps = job.rates.config.training.steps;
    const std::string seeds = run_status("seeds", job.files.seeds, steps);
    if (record) return seeds.empty() ? "rates done" : "rates done, " + seeds;
    const std::string rates = run_status("rates", job.files.rates, steps);
    return rates.empty() ? "not begun" : rates;
}

}  // namespace whorl
