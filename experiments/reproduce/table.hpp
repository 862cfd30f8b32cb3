// A published table as data: its rows, what the paper says, and how ours is measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/run/session.hpp"

namespace whorl {

struct TableRow {
    const char* key;    // the row's folder
    const char* label;  // as people call the model
    const char* preset;
    std::optional<double> paper;  // scaled accuracy in percent
};

/// How a table is measured: quick (minutes on a laptop) or full (the paper's protocol).
struct TableProfile {
    const char* recipe;      // built-in; every row runs it with its own preset
    std::int64_t test_size;  // where the table's numbers are read
};

struct PublishedTable {
    const char* name;
    const char* title;
    const char* source;
    TableProfile quick, full;
    std::vector<TableRow> rows;
};

/// Throws UserError with the nearest name.
const PublishedTable& published_table(const std::string& name);
std::vector<std::string> published_table_names();

/// One row as measured. Accuracies are scaled: 0 = guessing, 1 = perfect, on the test split.
struct RowResult {
    const TableRow* row = nullptr;
    std::size_t best_replica = 0;               // by validation accuracy
    double best = 0;                            // its accuracy at the table's size
    std::vector<double> curve;                  // and at all test sizes
    double best_rate = 0;                       // the learning rate with the highest mean validation accuracy
    double median = 0;                          // over the seeds at that rate
    std::int64_t passed = 0, seeds = 0;         // at that rate: accuracy of at least kPass
    std::int64_t passed_all = 0, replicas = 0;  // in the whole population
    double seconds = 0;
};

inline constexpr double kPass = 0.9;  // scaled accuracy that counts as solved

/// Throws UserError when `test` lacks the table's size.
RowResult summarize(const TableRow& row, const RunSetup& setup, const SessionResult& result,
                    const Evaluation& validation, std::int64_t test_size);

struct TableResult {
    const PublishedTable* table = nullptr;
    const TableProfile* profile = nullptr;
    RunConfig config;  // of the first row: the protocol that all share
    double chance = 0;
    std::string device;
    std::vector<RowResult> rows;
};

/// "trained at sizes ≤ 40, tested at 64; 1600 steps of 64 sequences; …": all that a reader needs beside the numbers.
std::string protocol_text(const TableResult& result);
std::string to_text(const TableResult& result);
std::string to_markdown(const TableResult& result);
std::string to_json(const TableResult& result);

}  // namespace whorl
