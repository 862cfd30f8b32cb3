#include "app/sweep/table.hpp"

#include <filesystem>

#include "app/run/manifest.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/toml_file.hpp"

namespace whorl {
namespace {

// The record is a file that people may edit: a run's folder stays inside the sweep's.
void check_folder(const std::string& name, const std::string& source) {
    if (!names_a_folder(name))
        throw UserError(one_line(source + ": runs: " + in_quotes(name) + " is no folder beside it"));
}

TableLine read_line(const std::string& path, const SweepRecord::Run& run, const SweepRecord& record) {
    TableLine line;
    line.name = run.folder, line.labels = run.values, line.status = kNotBegun;
    Table axes;
    for (std::size_t i = 0; i < record.axes.size(); ++i) axes.push_back({record.axes[i], {run.values[i]}});
    line.keys = {{"axes", {std::move(axes)}}};
    if (!RunDirectory::exists(path)) return line;
    const RunDirectory directory = RunDirectory::open(path);
    fill(line, directory, load_setup(directory), record.size, record.threshold);
    return line;
}

}  // namespace

std::string sweep_record_path(const std::string& folder) {
    return folder + "/runs.toml";
}

bool is_sweep(const std::string& folder) {
    std::error_code error;
    return std::filesystem::is_regular_file(sweep_record_path(folder), error) && !RunDirectory::exists(folder);
}

ResultTable read_sweep_table(const std::string& folder) {
    const std::string path = sweep_record_path(folder);
    SweepRecord record;
    read_config(load_toml(path), record);
    ResultTable table;
    table.kind = "sweep", table.name = table.title = record.name, table.pass = record.threshold;
    TableSection& section = table.sections.emplace_back();
    section.heads = record.axes, section.size = record.size;
    for (const SweepRecord::Run& run : record.runs) {
        check_folder(run.folder, path);
        if (run.values.size() != record.axes.size())
            throw UserError(one_line(path + ": runs: " + in_quotes(run.folder) + " has not one value for each axis"));
        section.lines.push_back(read_line(folder + "/" + run.folder, run, record));
    }
    return table;
}

}  // namespace whorl
