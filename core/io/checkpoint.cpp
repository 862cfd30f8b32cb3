#include "core/io/checkpoint.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/value.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/checksum.hpp"
#include "core/io/snapshot_files.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxChecksumsBytes = 65536;
constexpr const char* kFiles[] = {"model.safetensors", "optimizer.safetensors", "state.json"};

std::string write_checksums(const std::string& folder) {
    Table files;
    for (const char* name : kFiles) files.push_back({name, {file_checksum(folder + "/" + name)}});
    return write_json({Table{{"xxh3_128", {std::move(files)}}}}, 2) + "\n";
}

void remove_folder(const std::string& folder) {
    std::error_code error;
    fs::remove_all(folder, error);
    if (error) throw RuntimeFailure(one_line(folder + ": cannot be removed: " + error.message()));
}

void fill(const CheckpointFiles& files, const CheckpointContent& content) {
    write_safetensors(files.model_path(), content.model, content.metadata);
    write_safetensors(files.optimizer_path(), content.optimizer, content.metadata);
    write_file(files.state_path(), content.state_json);
    write_file(files.checksums_path(), write_checksums(files.folder));
}

}  // namespace

std::string CheckpointFiles::state_json() const {
    return read_text_file(state_path(), kMostStateBytes);
}

CheckpointFiles write_checkpoint(const std::string& parent, std::int64_t step, const CheckpointContent& content) {
    const std::string name = "step-" + std::to_string(step);
    const CheckpointFiles draft{step, parent + "/.tmp-" + name};
    const CheckpointFiles result{step, parent + "/" + name};
    remove_folder(draft.folder);
    std::error_code error;
    if (!fs::create_directory(draft.folder, error))
        throw RuntimeFailure(one_line(draft.folder + ": cannot be created: " + error.message()));
    try {
        fill(draft, content);
    } catch (...) {
        std::error_code ignored;
        fs::remove_all(draft.folder, ignored);  // a full disk needs the room
        throw;
    }
    remove_checkpoint(result);
    if (std::rename(draft.folder.c_str(), result.folder.c_str()) != 0)
        fail_with_errno(result.folder, "cannot be put in place", errno);
    sync_directory(parent);
    return result;
}

void remove_checkpoint(const CheckpointFiles& checkpoint) {
    const fs::path folder(checkpoint.folder);
    const std::string doomed = (folder.parent_path() / (".tmp-old-" + folder.filename().string())).string();
    remove_folder(doomed);
    // Renamed first: a kill amid the removal must not leave a step-N with some of its files.
    if (std::rename(checkpoint.folder.c_str(), doomed.c_str()) != 0) {
        if (errno == ENOENT) return;
        fail_with_errno(checkpoint.folder, "cannot be removed", errno);
    }
    remove_folder(doomed);
}

std::vector<CheckpointFiles> list_checkpoints(const std::string& parent) {
    std::vector<CheckpointFiles> found;
    std::error_code error;
    for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
        const auto step = step_in_name(entry->path().filename().string());
        if (step) found.push_back({*step, entry->path().string()});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
    return found;
}

void verify_checkpoint(const CheckpointFiles& checkpoint) {
    const std::string path = checkpoint.checksums_path();
    const Document checksums = parse_json(read_text_file(path, kMaxChecksumsBytes), path);
    const Value* listed = find(checksums.root, "xxh3_128");
    for (const char* name : kFiles) {
        const Value* expected = listed ? find(*listed, name) : nullptr;
        const std::string* digits = expected ? std::get_if<std::string>(&expected->data) : nullptr;
        if (digits == nullptr) throw UserError(one_line(path + ": no checksum of " + name));
        const std::string file = checkpoint.folder + "/" + name;
        if (file_checksum(file) != *digits)
            throw UserError(one_line(file + ": damaged: its checksum differs from the one in checksums.json"));
    }
}

CheckpointFiles open_checkpoint(const std::string& folder) {
    const fs::path path = fs::path(folder) / "";  // with a trailing slash, parent_path is the folder itself
    const auto step = step_in_name(path.parent_path().filename().string());
    if (!step) throw UserError(one_line(folder + ": not a checkpoint; expected a folder named step-N"));
    CheckpointFiles files{*step, path.parent_path().string()};
    verify_checkpoint(files);
    return files;
}

}  // namespace whorl
