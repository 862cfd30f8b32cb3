#include "core/io/snapshot_files.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStepPrefix = "step-", kSnapshotSuffix = ".safetensors", kHalfWritten = ".step-";

/// visit(path) for every entry of a folder, which visit may remove.
template <class Visit>
void for_each_entry(const std::string& folder, const Visit& visit) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        entries.push_back(entry->path());
    for (const fs::path& path : entries) visit(path);
}

}  // namespace

std::optional<std::int64_t> step_in_name(std::string_view name, std::string_view suffix) {
    if (name.substr(0, kStepPrefix.size()) != kStepPrefix) return std::nullopt;
    std::int64_t step = -1;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + kStepPrefix.size(), end, step);
    const bool read = error == std::errc{} && step >= 0;
    const bool canonical = read && name == std::string(kStepPrefix) + std::to_string(step) + std::string(suffix);
    return canonical ? std::optional(step) : std::nullopt;
}

std::string snapshot_path(const std::string& folder, std::int64_t step) {
    return folder + "/" + std::string(kStepPrefix) + std::to_string(step) + std::string(kSnapshotSuffix);
}

std::vector<SnapshotFile> list_snapshots(const std::string& folder) {
    std::vector<SnapshotFile> found;
    for_each_entry(folder, [&](const fs::path& path) {
        if (const auto step = step_in_name(path.filename().string(), kSnapshotSuffix))
            found.push_back({*step, path.string()});
    });
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
    return found;
}

void remove_snapshots_after(const std::string& folder, std::int64_t step) {
    for_each_entry(folder, [&](const fs::path& path) {
        const std::string name = path.filename().string();
        if (step_in_name(name, kSnapshotSuffix).value_or(-1) <= step && name.rfind(kHalfWritten, 0) != 0) return;
        std::error_code error;
        fs::remove(path, error);
        if (error) throw RuntimeFailure(one_line(path.string() + ": cannot be removed: " + error.message()));
    });
}

}  // namespace whorl
