#include "experiments/sweep/table.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/base/error.hpp"
#include "core/io/text.hpp"
#include "experiments/run/manifest.hpp"
#include "experiments/run/session.hpp"

namespace whorl {
namespace {

// The record is a file that people may edit: a run's folder stays inside the sweep's.
void check_folder(const std::string& name, const std::string& source) {
    if (!names_a_folder(name))
        throw UserError(one_line(source + ": runs: " + in_quotes(name) + " is no folder beside it"));
}

void fill(SweepCell& cell, const RunSetup& setup, const SessionResult& result, const Evaluation& validation,
          const SweepRecord& record) {
    cell.sizes = result.test.sizes;
    for (const std::int64_t size : cell.sizes)
        cell.cells.push_back(cell_of(setup, validation, result.test, size, record.threshold));
    const std::int64_t wanted = record.size.value_or(*std::max_element(cell.sizes.begin(), cell.sizes.end()));
    const auto found = std::find(cell.sizes.begin(), cell.sizes.end(), wanted);
    cell.read_at = static_cast<std::size_t>(found == cell.sizes.end() ? 0 : found - cell.sizes.begin());
    cell.chance = setup.data->chance();
    cell.weight_decay = replicas_of(setup.config.replicas)[cell.cell().chosen].weight_decay;
    cell.seconds = result.seconds;
}

SweepCell read_cell(const std::string& path, const SweepRecord::Run& run, const SweepRecord& record) {
    SweepCell cell;
    cell.values = run.values;
    cell.status = kNotBegun;
    if (!RunDirectory::exists(path)) return cell;
    const RunDirectory directory = RunDirectory::open(path);
    const RunSetup setup = load_setup(directory);
    const RunStatus status = load_status(directory);
    const bool done = status.status == "finished" || status.status == kNotBegun;
    cell.status = done ? status.status : status.status + ", step " + std::to_string(status.step);
    const auto result = finished_result(directory, setup);
    const auto validation = last_evaluation(directory, setup, Split::validation);
    if (result && validation) fill(cell, setup, *result, *validation, record);
    std::vector<std::string> damaged;
    if (!result) directory.newest_valid_checkpoint(&damaged);
    if (!damaged.empty()) cell.status += ", damaged: " + damaged.front();
    return cell;
}

}  // namespace

std::vector<std::int64_t> SweepTable::sizes() const {
    std::set<std::int64_t> all;
    for (const SweepCell& cell : cells) all.insert(cell.sizes.begin(), cell.sizes.end());
    return {all.begin(), all.end()};
}

std::string sweep_record_path(const std::string& folder) {
    return folder + "/runs.toml";
}

bool is_sweep(const std::string& folder) {
    std::error_code error;
    return std::filesystem::is_regular_file(sweep_record_path(folder), error) && !RunDirectory::exists(folder);
}

SweepTable read_sweep_table(const std::string& folder) {
    SweepTable table;
    const std::string path = sweep_record_path(folder);
    read_config(load_toml(path), table.record);
    for (const SweepRecord::Run& run : table.record.runs) {
        check_folder(run.folder, path);
        if (run.values.size() != table.record.axes.size())
            throw UserError(one_line(path + ": runs: " + in_quotes(run.folder) + " has not one value for each axis"));
        table.cells.push_back(read_cell(folder + "/" + run.folder, run, table.record));
    }
    return table;
}

}  // namespace whorl
