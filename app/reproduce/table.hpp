// A table as data: its rows (models), its columns (tasks), what the paper says, and how ours is measured. They are
// files, experiments/tables/*.toml, built into the program:
//
//     name = "needle"
//     title = "Needles in a haystack: share found"
//     source = "Mamba-3, Table 4: …"      # of the published figures
//     protocol = "verdict"                # or "sweep", below
//     match = { row = "mamba3", within = 0.03 }
//     widths = [64]                       # d_model of the full pieces
//     quick_widths = [32]
//     [[columns]]
//     key = "noise"
//     label = "noise"
//     metric = "found"                    # accuracy (scaled), found, bits
//     set = ["task.haystack=noise"]       # assignments to the recipe, as --set
//     quick = { recipe = "needle-table-quick", test_size = 64 }
//     full = { recipe = "needle-table-full", test_size = 512, rows = ["mamba3"] }   # rows: not all of them
//     [[rows]]
//     key = "mamba3-conv"
//     label = "Mamba-3 with convolution"
//     preset = "mamba3"
//     set = ["model.config.layers[*].short_conv=4"]
//     [published.noise]                   # percent, by row
//     mamba3 = 50.6
//
// Protocols. sweep, the paper's: --quick trains one run a row; --full a piece for each row, column and width, in which
// every learning rate gets one seed and the best two get two more. verdict: both profiles are made of pieces; stage one
// trains every rate and range of Δ with the recipe's seeds and chooses one setting on validation data; stage two trains
// that one with fresh seeds alone, and its numbers are the table's.
//
// match: every row's MLP is as wide as gives it the parameters of that row, whose own MLP is the recipe's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/tables/table.hpp"

namespace whorl {

/// A row that a profile trains as another preset than everywhere else.
struct OtherPreset {
    std::string row, preset;
};

/// How a column is measured.
struct TableProfile {
    std::string recipe;            // built-in; every row runs it with its own preset. Empty: not in this profile
    std::int64_t test_size = 0;    // where the table's numbers are read
    std::vector<std::string> set;  // assignments to the recipe
    std::vector<OtherPreset> others;
    std::vector<std::string> rows;  // the only ones that are trained; empty: all
};

/// quick: minutes on two processor cores. full: the paper's lengths, or what a GPU does in minutes.
enum class Profile { quick, full };
constexpr auto enum_names(Profile) {
    return std::to_array<EnumName<Profile>>({{Profile::quick, "quick"}, {Profile::full, "full"}});
}

struct TableColumn {
    std::string key;  // the column's folder
    std::string label;
    Metric metric = Metric::accuracy;
    std::vector<std::string> set;
    TableProfile quick, full;

    const TableProfile& at(Profile profile) const { return profile == Profile::quick ? quick : full; }
    bool is_in(Profile profile) const { return !at(profile).recipe.empty(); }
    bool has(const std::string& row, Profile profile) const;
};

struct TableRow {
    std::string key;     // the row's folder inside each column's
    std::string label;   // as people call the model
    std::string preset;  // of core/model/registry.hpp
    /// Assignments to the recipe that this row needs; those to model.config.… change the model that the preset made.
    std::vector<std::string> set;
    std::vector<std::string> quick_set, full_set;  // of one profile, behind `set`

    const std::vector<std::string>& set_at(Profile profile) const {
        return profile == Profile::quick ? quick_set : full_set;
    }
};

/// A figure of the paper: scaled accuracy, or share found.
struct PublishedFigure {
    std::string column, row;  // keys
    double percent = 0;
};

enum class TableProtocol { sweep, verdict };
constexpr auto enum_names(TableProtocol) {
    return std::to_array<EnumName<TableProtocol>>(
        {{TableProtocol::sweep, "sweep"}, {TableProtocol::verdict, "verdict"}});
}

/// What stage two of a piece trains: the best settings of stage one, with so many seeds more.
struct SecondStage {
    std::int64_t settings = 2, seeds = 2;
};

/// What a table measures without training (measurement.hpp). order: of discretization rules on equations whose A is
/// constant; order-moving: whose A moves, sampled at the end of each step, where a layer has it. update-time: seconds
/// of one token's update of the state, of `batch` sequences.
enum class MeasurementKind { order, order_moving, update_time };
constexpr auto enum_names(MeasurementKind) {
    return std::to_array<EnumName<MeasurementKind>>({{MeasurementKind::order, "order"},
                                                     {MeasurementKind::order_moving, "order-moving"},
                                                     {MeasurementKind::update_time, "update-time"}});
}

struct TableMeasurement {
    std::string key;
    MeasurementKind kind = MeasurementKind::order;
    std::int64_t batch = 1;
    std::vector<std::string> rows;
};

struct ParameterMatch {
    std::string row;
    double within = 0.03;  // of that row's number of parameters
};

struct PublishedTable {
    std::string name;
    std::string title;
    std::string source;
    TableProtocol protocol = TableProtocol::sweep;
    std::vector<TableColumn> columns;
    std::vector<TableRow> rows;
    std::vector<TableMeasurement> measurements;
    std::vector<PublishedFigure> figures;
    std::vector<std::int64_t> widths = {32, 64};  // d_model of the full table's pieces (piece.hpp)
    std::vector<std::int64_t> quick_widths = {32};
    std::optional<ParameterMatch> match;
    std::int64_t fresh_seeds = 12;  // of protocol verdict

    /// What the paper says in that column and row, by their keys; empty where it says nothing.
    std::optional<double> figure(const std::string& column, const std::string& row) const;
    SecondStage second_stage() const;
    const std::vector<std::int64_t>& widths_at(Profile profile) const {
        return profile == Profile::quick ? quick_widths : widths;
    }
};

/// The preset that `profile` trains `row` as.
std::string preset_of(const TableRow& row, const TableProfile& profile);

/// Throws UserError naming file, line and key: for unknown keys, a column or row that is there twice, a figure or a
/// match of a row that is not there.
PublishedTable read_table(const Document& document);

/// One of those that are built in. Throws UserError with the nearest name.
const PublishedTable& published_table(const std::string& name);
std::vector<std::string> published_table_names();

/// The item of that key. Throws UserError with the nearest key, beginning with `where`.
const TableColumn& column_of(const PublishedTable& table, const std::string& key, const std::string& where);
const TableRow& row_of(const PublishedTable& table, const std::string& key, const std::string& where);

/// The table of results beside `table`, with no section yet.
ResultTable results_of(const PublishedTable& table);
/// The section of a column that is read at `test_size`, with no line yet; `heads` are those of its lines' labels.
TableSection section_of(const TableColumn& column, std::int64_t test_size, std::vector<std::string> heads);
/// A line of a row without result, with what the paper says.
TableLine line_of(const PublishedTable& table, const TableColumn& column, const TableRow& row);

}  // namespace whorl
