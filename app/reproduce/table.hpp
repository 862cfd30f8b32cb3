// A published table as data: its rows (models), its columns (tasks), what the paper says, and how ours is measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/tables/table.hpp"

namespace whorl {

/// A row that a profile trains as another preset than everywhere else.
struct OtherPreset {
    const char *row, *preset;
};

/// How a column is measured: quick (minutes on a laptop) or full (the paper's protocol, in pieces: piece.hpp).
struct TableProfile {
    const char* recipe;      // built-in; every row runs it with its own preset
    std::int64_t test_size;  // where the table's numbers are read
    std::vector<OtherPreset> others = {};
};

struct TableColumn {
    const char* key;  // the column's folder
    const char* label;
    TableProfile quick, full;
};

struct TableRow {
    const char* key;            // the row's folder inside each column's
    const char* label;          // as people call the model
    const char* preset;         // of core/model/registry.hpp
    const char* set = nullptr;  // an assignment to the recipe that this row needs
};

/// A figure of the paper: scaled accuracy.
struct PublishedFigure {
    const char *column, *row;  // keys
    double percent;
};

struct PublishedTable {
    const char* name;
    const char* title;
    const char* source;
    std::vector<TableColumn> columns;
    std::vector<TableRow> rows;
    std::vector<PublishedFigure> figures;
    std::vector<std::int64_t> widths = {32, 64};  // d_model of the full table's pieces (piece.hpp)

    /// What the paper says in that column and row, by their keys; empty where it says nothing.
    std::optional<double> figure(const std::string& column, const std::string& row) const;
};

/// The preset that `profile` trains `row` as.
std::string preset_of(const TableRow& row, const TableProfile& profile);

/// Throws UserError with the nearest name.
const PublishedTable& published_table(const std::string& name);
std::vector<std::string> published_table_names();

/// The table of results beside `table`, with no section yet.
ResultTable results_of(const PublishedTable& table);
/// The section of a column that is read at `test_size`, with no line yet; `heads` are those of its lines' labels.
TableSection section_of(const TableColumn& column, std::int64_t test_size, std::vector<std::string> heads);
/// A line of a row without result, with what the paper says.
TableLine line_of(const PublishedTable& table, const TableColumn& column, const TableRow& row);

}  // namespace whorl
