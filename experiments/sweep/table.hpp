// A sweep's results as a table of cells, read from its folder.
#pragma once

#include <string>
#include <vector>

#include "experiments/run/cell.hpp"
#include "experiments/sweep/sweep.hpp"

namespace whorl {

struct SweepCell {
    std::vector<std::string> values;  // one an axis
    std::string status;               // finished, or how far the run is
    // Of a finished run:
    std::vector<std::int64_t> sizes;  // test sizes
    std::vector<Cell> cells;          // one a size
    std::size_t read_at = 0;          // the size where the table is read
    double chance = 0, weight_decay = 0, seconds = 0;

    bool finished() const { return !cells.empty(); }
    const Cell& cell() const { return cells[read_at]; }
};

struct SweepTable {
    SweepRecord record;
    std::vector<SweepCell> cells;

    /// All test sizes of all runs, rising.
    std::vector<std::int64_t> sizes() const;
};

/// True when the folder holds a sweep.
bool is_sweep(const std::string& folder);
/// "DIR/runs.toml"
std::string sweep_record_path(const std::string& folder);
/// Reads runs.toml and the runs beside it. Throws UserError naming the file.
SweepTable read_sweep_table(const std::string& folder);

/// A field of a CSV line, in quotes where it needs them.
std::string csv_field(const std::string& text);

std::string to_text(const SweepTable& table);
std::string to_markdown(const SweepTable& table);
std::string to_json(const SweepTable& table);
/// One line for each run and test size, under a line of names.
std::string to_csv(const SweepTable& table);

}  // namespace whorl
