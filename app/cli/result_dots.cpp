#include "app/cli/result_dots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/reproduce/piece_table.hpp"
#include "app/run/manifest.hpp"
#include "app/sweep/table.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/toml_file.hpp"
#include "core/model/registry.hpp"
#include "viz/data/exhibit.hpp"

namespace whorl::cli {
namespace {

namespace fs = std::filesystem;
using viz::DotsColumn;
using viz::DotsRow;
using viz::ResultDots;

constexpr std::uint64_t kMostBytes = 1 << 26;

plot::Role role_of_preset(const std::string& preset) {
    return viz::role_of(model_preset(preset).make(PresetSize{}));
}

/// The replicas at one test size, and the summary's median.
void add_replicas(DotsRow& row, const PopulationResult& population, std::int64_t size) {
    const Summary summary = summarize(population, size);
    for (const ReplicaResult& replica : population.replicas)
        row.replicas.push_back(score_of(population, replica, summary.read_at));
    row.chosen = summary.read().median;
}

viz::DotsMeasure measure_of(Metric metric) {
    switch (metric) {
        case Metric::accuracy:
            break;
        case Metric::found:
            return viz::DotsMeasure::found;
        case Metric::bits:
            return viz::DotsMeasure::bits;
    }
    return viz::DotsMeasure::accuracy;
}

std::string size_text(std::int64_t size) {
    return fmt::format("size {}", size);
}

// --- runs ------------------------------------------------------------------------------------------------------------

/// A row of a run, or how far it is.
DotsRow row_of_run(const std::string& path, const std::string& label, std::int64_t size) {
    const RunDirectory run = RunDirectory::open(path);
    const RunSetup setup = load_setup(run);
    DotsRow row;
    row.label = label, row.role = viz::role_of(setup.model);
    if (const auto population = read_population_result(run, setup))
        add_replicas(row, *population, size);
    else
        row.status = load_status(run).status;
    return row;
}

ResultDots dots_of_run(const std::string& path) {
    const RunSetup setup = load_setup(RunDirectory::open(path));
    ResultDots dots;
    dots.title = setup.config.name, dots.about = viz::title_of(setup.model), dots.rows_are = "at";
    DotsColumn& column = dots.columns.emplace_back();
    column.key = name_of_task(setup.task), column.label = column.key;
    column.measure = setup.data->in_bits() ? viz::DotsMeasure::bits : viz::DotsMeasure::accuracy;
    for (const std::int64_t size : setup.config.test.sizes)
        column.rows.push_back(row_of_run(path, size_text(size), size));
    return dots;
}

ResultDots dots_of_sweep(const std::string& folder) {
    const std::string file = sweep_record_path(folder);
    SweepRecord record;
    read_config(load_toml(file), record);
    ResultDots dots;
    dots.title = record.name;
    dots.pass = record.threshold;
    DotsColumn& column = dots.columns.emplace_back();
    for (const std::string& axis : record.axes) column.label += (column.label.empty() ? "" : ", ") + axis;
    for (const SweepRecord::Run& run : record.runs) {
        std::string label;
        for (const std::string& value : run.values) label += (label.empty() ? "" : ", ") + value;
        const std::string path = folder + "/" + run.folder;
        if (!names_a_folder(run.folder) || !RunDirectory::exists(path)) {
            column.rows.push_back({label, {}, plot::Role::ink, {}, {}, {}, kNotBegun});
            continue;
        }
        const RunSetup setup = load_setup(RunDirectory::open(path));
        const std::vector<std::int64_t>& sizes = setup.config.test.sizes;
        column.measure = setup.data->in_bits() ? viz::DotsMeasure::bits : viz::DotsMeasure::accuracy;
        const std::int64_t size = record.size.value_or(*std::max_element(sizes.begin(), sizes.end()));
        column.read_at = size_text(size);
        column.rows.push_back(row_of_run(path, label, size));
    }
    return dots;
}

// --- published tables ------------------------------------------------------------------------------------------------

std::optional<double> published(const PublishedTable& table, const TableColumn& column, const TableRow& row) {
    const auto figure = table.figure(column.key, row.key);
    return figure ? std::optional(*figure / 100) : std::nullopt;
}

/// Runs in FOLDER/COLUMN/ROW, as `reproduce --quick` leaves them; empty when none is there.
std::optional<ResultDots> dots_of_folders(const PublishedTable& table, const std::string& folder) {
    ResultDots dots;
    dots.title = table.title;
    for (const TableColumn& column : table.columns) {
        DotsColumn shown{column.key, column.label, size_text(column.quick.test_size), {}, measure_of(column.metric)};
        for (const TableRow& row : table.rows) {
            const std::string path = folder + "/" + column.key + "/" + row.key;
            if (!RunDirectory::exists(path)) continue;
            shown.rows.push_back(row_of_run(path, row.label, column.quick.test_size));
            shown.rows.back().published = published(table, column, row);
        }
        if (!shown.rows.empty()) dots.columns.push_back(std::move(shown));
    }
    return dots.columns.empty() ? std::nullopt : std::optional(dots);
}

DotsRow row_of_piece(const PublishedTable& table, const FoundPiece& piece, const TableRow& row, bool with_width) {
    DotsRow shown;
    shown.label = row.label + (with_width ? fmt::format(" d{}", piece.record.width) : std::string());
    shown.model = row.label, shown.role = role_of_preset(row.preset);
    add_replicas(shown, shown_population(table, piece.record), piece.record.test_size);
    return shown;
}

bool several_widths(const std::vector<FoundPiece>& pieces) {
    return std::any_of(pieces.begin(), pieces.end(),
                       [&](const FoundPiece& piece) { return piece.record.width != pieces[0].record.width; });
}

ResultDots dots_of_pieces(const PublishedTable& table, const std::vector<FoundPiece>& pieces) {
    ResultDots dots;
    dots.title = table.title;
    for (const TableColumn& column : table.columns) {
        DotsColumn shown{column.key,
                         column.label,
                         size_text(column.at(pieces.front().record.profile).test_size),
                         {},
                         measure_of(column.metric)};
        for (const TableRow& row : table.rows)
            for (const FoundPiece& piece : pieces) {
                if (piece.record.column != column.key || piece.record.row != row.key) continue;
                shown.rows.push_back(row_of_piece(table, piece, row, several_widths(pieces)));
                shown.rows.back().published = published(table, column, row);
            }
        if (!shown.rows.empty()) dots.columns.push_back(std::move(shown));
    }
    return dots;
}

/// The table of the first piece in the path; empty when there is none.
std::optional<std::string> table_of_pieces(const std::string& path) {
    std::error_code error;
    std::vector<std::string> files;
    if (fs::is_regular_file(path, error)) files = {path};
    for (const auto& entry : fs::recursive_directory_iterator(path, error))
        if (entry.path().extension() == ".json" && entry.is_regular_file(error)) files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files)
        if (const auto record = piece_record(parse_json(read_text_file(file, kMostBytes), file))) return record->table;
    return std::nullopt;
}

}  // namespace

ResultDots load_result_dots(const std::string& path) {
    if (is_sweep(path)) return dots_of_sweep(path);
    if (RunDirectory::exists(path)) return dots_of_run(path);
    for (const std::string& name : published_table_names())
        if (auto dots = dots_of_folders(published_table(name), path)) return *dots;
    if (const auto name = table_of_pieces(path)) {
        const PublishedTable& table = published_table(*name);
        return dots_of_pieces(table, find_pieces(table, {path}));
    }
    throw UserError(one_line(path + ": holds neither a run, nor a sweep, nor runs or pieces of a table"));
}

}  // namespace whorl::cli
