#include "viz/views/overview_view.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/config_binding.hpp"
#include "core/io/run_directory.hpp"
#include "core/io/toml_file.hpp"
#include "viz/views/overview_pieces.hpp"
#include "viz/views/overview_runs.hpp"

namespace whorl::viz {
namespace {

namespace fs = std::filesystem;

/// What `whorl sweep` wrote down beside its runs.
struct SweepNotes {
    std::string name;
    ReadRuns how;
    std::size_t runs = 0;
};

template <class T>
void read_if_there(const Document& document, const char* key, T& target) {
    if (const Value* value = find(document.root, key)) ConfigReader::read(*value, Place{&document.source, key}, target);
}

std::optional<SweepNotes> sweep_notes(const std::string& folder) {
    const std::string file = folder + "/runs.toml";
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return std::nullopt;
    const Document document = load_toml(file);
    SweepNotes notes;
    double threshold = notes.how.pass / 100;
    read_if_there(document, "name", notes.name);
    read_if_there(document, "size", notes.how.size);
    read_if_there(document, "threshold", threshold);
    notes.how.pass = 100 * threshold;
    const Value* runs = find(document.root, "runs");
    if (const auto* all = runs == nullptr ? nullptr : std::get_if<Array>(&runs->data)) notes.runs = all->size();
    return notes;
}

/// "2 runs are not finished", "1 run is not finished"; "" for none.
std::string runs_are(std::size_t count, const char* what) {
    if (count == 0) return "";
    return fmt::format("{} run{} {}", count, count == 1 ? " is" : "s are", what);
}

void add_missing(std::string& to, const std::string& what) {
    if (!what.empty()) to += (to.empty() ? "" : ", ") + what;
}

struct Gathered {
    std::vector<FoundReplica> replicas;
    std::string missing;
    double pass = 90;
};

/// Returns what the runs are called together; "" where nobody said.
std::string add_runs(Gathered& all, const std::string& path, const std::vector<RunPlace>& runs) {
    const SweepNotes notes = sweep_notes(path).value_or(SweepNotes{});
    FoundRuns found = find_replicas(runs, notes.how);
    for (FoundReplica& replica : found.replicas) all.replicas.push_back(std::move(replica));
    all.pass = notes.how.pass;
    add_missing(all.missing, runs_are(notes.runs > runs.size() ? notes.runs - runs.size() : 0, "not begun"));
    add_missing(all.missing, runs_are(found.unfinished, "not finished"));
    if (!found.unreadable.empty())
        add_missing(all.missing, runs_are(found.unreadable.size(), "not read") + " (" + found.unreadable[0] + ")");
    return notes.name;
}

std::string add_path(Gathered& all, const std::string& path) {
    const std::vector<RunPlace> runs = runs_below(path);
    if (!runs.empty()) return add_runs(all, path, runs);
    const std::vector<std::string> pieces = piece_files(path);
    if (pieces.empty())
        throw UserError(one_line(path + ": holds neither runs, up to two folders below, nor pieces of a table"));
    for (const std::string& file : pieces)
        for (FoundReplica& replica : replicas_of_piece(file, all.pass)) all.replicas.push_back(std::move(replica));
    return "";
}

std::string last_name(const std::string& path) {
    const fs::path given = fs::path(path).lexically_normal();
    return (given.has_filename() ? given : given.parent_path()).filename().string();
}

}  // namespace

bool holds_results(const std::string& path) {
    std::error_code error;
    if (RunDirectory::exists(path)) return false;
    if (fs::is_directory(path, error)) return !runs_below(path).empty() || !piece_files(path).empty();
    return fs::path(path).extension() == ".json" && !piece_files(path).empty();
}

OverviewData load_overview(const std::vector<std::string>& paths) {
    if (paths.empty()) throw UserError("overview: name a sweep, a table's folder, or any folder of runs");
    Gathered all;
    std::string title;
    for (const std::string& path : paths) {
        const std::string name = add_path(all, path);
        title += (title.empty() ? "" : ", ") + (name.empty() ? last_name(path) : name);
    }
    OverviewData data = overview_of(all.replicas);
    data.title = title, data.missing = all.missing, data.pass = all.pass;
    return data;
}

}  // namespace whorl::viz
