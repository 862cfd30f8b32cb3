// A published table as data: its rows (models), its columns (tasks), what the paper says, and how ours is measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/run/cell.hpp"
#include "experiments/run/session.hpp"

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
    const char* key;                           // the row's folder inside each column's
    const char* label;                         // as people call the model
    const char* preset;                        // of core/model/registry.hpp
    std::vector<std::optional<double>> paper;  // scaled accuracy in percent, one a column
    const char* set = nullptr;                 // an assignment to the recipe that this row needs
};

struct PublishedTable {
    const char* name;
    const char* title;
    const char* source;
    std::vector<TableColumn> columns;
    std::vector<TableRow> rows;
    std::vector<std::int64_t> widths = {32, 64};  // d_model of the full table's pieces (piece.hpp)
};

/// The preset that `profile` trains `row` as.
std::string preset_of(const TableRow& row, const TableProfile& profile);

/// Throws UserError with the nearest name.
const PublishedTable& published_table(const std::string& name);
std::vector<std::string> published_table_names();

/// One row of one column as measured.
struct RowResult : Cell {
    const TableRow* row = nullptr;
    double seconds = 0;
};

/// Throws UserError when `test` lacks the table's size.
RowResult summarize(const TableRow& row, const RunSetup& setup, const SessionResult& result,
                    const Evaluation& validation, std::int64_t test_size);

struct ColumnResult {
    const TableColumn* column = nullptr;
    const TableProfile* profile = nullptr;
    RunConfig config;     // of the first row: the protocol that all share
    double chance = 0;    // accuracy of guessing
    double majority = 0;  // scaled accuracy of always giving the most frequent answer, at the table's size
    std::vector<RowResult> rows;

    double seconds() const;
};

struct TableResult {
    const PublishedTable* table = nullptr;
    std::string device;
    std::vector<ColumnResult> columns;
};

/// "trained at sizes ≤ 40, tested at 80; 1600 steps of 64 sequences; …": all that a reader needs beside the numbers.
std::string protocol_text(const ColumnResult& column, const std::string& device);
std::string to_text(const TableResult& result);
std::string to_markdown(const TableResult& result);
std::string to_json(const TableResult& result);

}  // namespace whorl
