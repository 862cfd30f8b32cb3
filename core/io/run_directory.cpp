#include "core/io/run_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <span>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/value.hpp"
#include "core/io/atomic_file.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxMetricsBytes = std::uint64_t{4} << 30;

// What writes of a killed process left: .NAME.tmp-PID-N beside each file (atomic_file.cpp).
void remove_unfinished_files(const std::string& folder) {
    for (const char* name : {"/config.toml", "/manifest.json"}) whorl::remove_unfinished(folder + name);
}

// One level: a run's folder that is gone must not come back without its config.
void make_one_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) fail_with_errno(path, "cannot be created", errno);
}

void refuse_run(const std::string& path) {
    if (RunDirectory::exists(path))
        throw UserError(one_line(path + ": already holds a run; choose another folder, or go on with it by --resume"));
}

void refuse_used_folder(const std::string& path) {
    refuse_run(path);
    remove_unfinished_files(path);
    if (std::error_code error; !fs::is_empty(path, error))
        throw UserError(one_line(path + ": is not an empty folder; choose another one for the run"));
}

// The bytes of the whole lines: a line without its newline was cut off by a kill and never counted.
std::string whole_lines(const std::string& path) {
    if (std::error_code error; !fs::exists(path, error)) return {};
    std::string text = read_text_file(path, kMaxMetricsBytes);
    text.resize(text.rfind('\n') + 1);  // npos + 1 is 0
    return text;
}

void cut_file(const std::string& path, std::size_t bytes) {
    if (std::error_code error; bytes == 0 && !fs::exists(path, error)) return;
    const Descriptor file = open_regular_file_to_write(path);
    if (::ftruncate(file.number(), static_cast<off_t>(bytes)) != 0 || ::fsync(file.number()) != 0)
        fail_with_errno(path, "cannot be truncated", errno);
}

std::int64_t step_of(const Document& row) {
    const Value* step = find(row.root, "step");
    const auto* number = step ? std::get_if<std::int64_t>(&step->data) : nullptr;
    if (number == nullptr)
        throw UserError(
            one_line(row.source + ": the line has no integer \"step\": " + in_quotes(write_json(row.root))));
    return *number;
}

std::vector<fs::path> unfinished_checkpoints(const std::string& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().filename().string().rfind(".tmp-", 0) == 0) found.push_back(entry->path());
    return found;
}

}  // namespace

RunDirectory RunDirectory::create(const std::string& path, std::string_view config_toml) {
    refuse_run(path);
    make_folders(path);
    RunDirectory run(path);
    run.hold();  // of several processes that come this far at once, one goes on
    refuse_used_folder(path);
    write_file(run.config_path(), config_toml);  // from here on the folder is a run
    make_folders(run.checkpoints_path());
    make_folders(run.report_path());
    return run;
}

RunDirectory RunDirectory::open(const std::string& path) {
    if (!exists(path)) throw UserError(one_line(path + ": holds no run (no config.toml)"));
    return RunDirectory(path);
}

bool RunDirectory::exists(const std::string& path) {
    std::error_code error;
    return fs::is_regular_file(path + "/config.toml", error);
}

void RunDirectory::hold() {
    if (!held_) held_ = std::make_shared<const Descriptor>(hold_folder(path_, "this run"));
}

void RunDirectory::check_in_place() const {
    if (!held_) return;
    struct stat held = {}, there = {};
    if (::fstat(held_->number(), &held) != 0) fail_with_errno(path_, "cannot be examined", errno);
    const bool same = ::stat(path_.c_str(), &there) == 0 && there.st_dev == held.st_dev && there.st_ino == held.st_ino;
    if (!same || !exists(path_))
        throw RuntimeFailure(one_line(path_ + ": the run's folder or its config.toml was renamed, replaced or removed "
                                              "while the run went on; nothing more is saved"));
}

template <class Write>
void RunDirectory::in_place(const Write& write) const {
    check_in_place();
    try {
        write();
    } catch (const UserError& error) {
        check_in_place();  // the better reason, where the folder went away meanwhile
        throw RuntimeFailure(error.what());
    } catch (const RuntimeFailure&) {
        check_in_place();
        throw;
    }
}

void RunDirectory::write_manifest(std::string_view json) const {
    in_place([&] { write_file(manifest_path(), json); });
}

void RunDirectory::append_metrics(std::string_view json_line) const {
    check_in_place();
    const Descriptor file = open_regular_file_to_write(metrics_path(), O_CREAT | O_APPEND);
    const std::string line = std::string(json_line) + "\n";  // one write: readers never see a line in two parts
    write_all(file, std::as_bytes(std::span(line)), metrics_path());
}

void RunDirectory::sync_metrics() const {
    if (std::error_code error; !fs::exists(metrics_path(), error)) return;
    const Descriptor file = open_regular_file_to_write(metrics_path());
    if (::fsync(file.number()) != 0) fail_with_errno(metrics_path(), "cannot be made durable", errno);
}

void RunDirectory::remove_unfinished() const {
    check_in_place();
    remove_unfinished_files(path_);
    for (const fs::path& path : unfinished_checkpoints(checkpoints_path())) {
        std::error_code error;
        fs::remove_all(path, error);
        if (error) throw RuntimeFailure(one_line(path.string() + ": cannot be removed: " + error.message()));
    }
}

std::vector<std::string> RunDirectory::read_metrics() const {
    const std::string text = whole_lines(metrics_path());
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

void RunDirectory::visit_metrics(const std::function<bool(const Document& row)>& visit) const {
    std::size_t number = 0;
    for (const std::string& line : read_metrics())
        if (!visit(parse_json(line, metrics_path() + ":" + std::to_string(++number)))) return;
}

void RunDirectory::truncate_metrics(std::size_t lines) const {
    check_in_place();
    const std::vector<std::string> have = read_metrics();
    if (lines > have.size())
        throw UserError(one_line(metrics_path() + ": has " + std::to_string(have.size()) +
                                 " lines, expected at least " + std::to_string(lines)));
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < lines; ++i) bytes += have[i].size() + 1;
    cut_file(metrics_path(), bytes);
}

void RunDirectory::truncate_metrics_after_step(std::int64_t step) const {
    std::size_t keep = 0;
    visit_metrics([&](const Document& row) {
        const bool kept = step_of(row) <= step;
        keep += kept ? 1 : 0;
        return kept;
    });
    truncate_metrics(keep);
}

CheckpointFiles RunDirectory::save_checkpoint(std::int64_t step, const CheckpointContent& content) const {
    CheckpointFiles saved;
    in_place([&] {
        make_one_folder(checkpoints_path());
        saved = write_checkpoint(checkpoints_path(), step, content);
    });
    return saved;
}

void RunDirectory::save_snapshot(std::int64_t step, std::span<const TensorView> tensors,
                                 const std::map<std::string, std::string>& metadata) const {
    in_place([&] {
        make_one_folder(snapshots_path());
        write_safetensors(snapshot_path(snapshots_path(), step), tensors, metadata);
    });
}

void RunDirectory::remove_snapshots_after(std::int64_t step) const {
    check_in_place();
    whorl::remove_snapshots_after(snapshots_path(), step);
}

std::optional<CheckpointFiles> RunDirectory::newest_valid_checkpoint(std::vector<std::string>* skipped) const {
    std::vector<CheckpointFiles> all = checkpoints();
    for (; !all.empty(); all.pop_back()) {
        try {
            verify_checkpoint(all.back());
            return all.back();
        } catch (const UserError& damage) {
            if (skipped != nullptr) skipped->push_back(damage.what());
        }
    }
    return std::nullopt;
}

std::optional<CheckpointFiles> RunDirectory::newest_checkpoint(std::vector<std::string>& notes) const {
    std::vector<std::string> skipped;
    const auto newest = newest_valid_checkpoint(&skipped);
    if (!newest && !skipped.empty())
        throw UserError(one_line(path_ + ": no checkpoint of the run is intact: " + skipped.front() + ways_out()));
    for (const std::string& damage : skipped) notes.push_back(damage + "; an earlier checkpoint is used");
    return newest;
}

std::string RunDirectory::ways_out() const {
    return "; put an intact checkpoint back, or train anew: whorl train " + config_path() + " --out OTHER";
}

void RunDirectory::prune_checkpoints(std::size_t keep, std::int64_t last) const {
    check_in_place();
    std::vector<CheckpointFiles> all = checkpoints();
    while (!all.empty() && all.back().step > last) all.pop_back();
    for (std::size_t i = 0; i + keep < all.size(); ++i) remove_checkpoint(all[i]);
    remove_unfinished();
}

}  // namespace whorl
