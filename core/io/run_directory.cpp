#include "core/io/run_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/text.hpp"
#include "core/io/value.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxMetricsBytes = std::uint64_t{4} << 30;

void make_folder(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) throw UserError(one_line(path + ": the folder cannot be made: " + error.message()));
}

// What writes of a killed process left: .NAME.tmp-PID-N beside each file (atomic_file.cpp).
void remove_unfinished_files(const std::string& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        const bool ours = name.rfind(".config.toml.tmp-", 0) == 0 || name.rfind(".manifest.json.tmp-", 0) == 0;
        if (ours && entry->is_regular_file(error)) found.push_back(entry->path());
    }
    for (const fs::path& path : found) fs::remove(path, error);
}

void refuse_used_folder(const std::string& path) {
    std::error_code error;
    if (RunDirectory::exists(path))
        throw UserError(one_line(path + ": already holds a run; choose another folder, or go on with it by --resume"));
    remove_unfinished_files(path);
    if (fs::exists(path, error) && !fs::is_empty(path, error))
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
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.is_open() || ::ftruncate(file.number(), static_cast<off_t>(bytes)) != 0 || ::fsync(file.number()) != 0)
        fail_with_errno(path, "cannot be truncated", errno);
}

std::int64_t step_of_line(const std::string& line, const std::string& path) {
    const Document row = parse_json(line, path);
    const Value* step = find(row.root, "step");
    const auto* number = step ? std::get_if<std::int64_t>(&step->data) : nullptr;
    if (number == nullptr) throw UserError(one_line(path + ": a line has no integer \"step\": " + in_quotes(line)));
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
    refuse_used_folder(path);
    RunDirectory run(path);
    make_folder(path);
    write_file(run.config_path(), config_toml);  // from here on the folder is a run
    make_folder(run.checkpoints_path());
    make_folder(run.report_path());
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

void RunDirectory::write_manifest(std::string_view json) const {
    write_file(manifest_path(), json);
}

void RunDirectory::append_metrics(std::string_view json_line) const {
    const Descriptor file(::open(metrics_path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!file.is_open()) fail_with_errno(metrics_path(), "cannot be opened", errno);
    const std::string line = std::string(json_line) + "\n";  // one write: readers never see a line in two parts
    write_all(file, std::as_bytes(std::span(line)), metrics_path());
}

void RunDirectory::sync_metrics() const {
    const Descriptor file(::open(metrics_path().c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.is_open() && errno == ENOENT) return;
    if (!file.is_open() || ::fsync(file.number()) != 0)
        fail_with_errno(metrics_path(), "cannot be made durable", errno);
}

void RunDirectory::remove_unfinished() const {
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

void RunDirectory::truncate_metrics(std::size_t lines) const {
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
    for (const std::string& line : read_metrics()) {
        if (step_of_line(line, metrics_path()) > step) break;
        ++keep;
    }
    truncate_metrics(keep);
}

CheckpointFiles RunDirectory::save_checkpoint(std::int64_t step, const CheckpointContent& content) const {
    return write_checkpoint(checkpoints_path(), step, content);
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

void RunDirectory::prune_checkpoints(std::size_t keep) const {
    const std::vector<CheckpointFiles> all = checkpoints();
    for (std::size_t i = 0; i + keep < all.size(); ++i) remove_checkpoint(all[i]);
    remove_unfinished();
}

}  // namespace whorl
