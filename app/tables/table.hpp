// A table of results as data: a line a population, a section a task. `reproduce` (runs and pieces) and `sweep` fill it;
// one painter a format draws it.
#pragma once

#include <string>
#include <vector>

#include "app/tables/summary.hpp"
#include "core/config/value.hpp"

namespace whorl {

struct TableLine {
    std::string name;                 // short, for the notes below a table: "mamba3 d64"
    std::vector<std::string> labels;  // for people, one under each of the section's heads
    Table keys;                       // for programs: {"row": "mamba3", "width": 64}
    std::optional<double> published;  // in percent of what the paper measures
    std::string status;               // in place of numbers: how far the run is, "–" for one that is not there
    std::optional<Summary> summary;
    std::string protocol, origin;  // how it was trained, and by which build and machine; empty: not said
    std::string model{};           // its size, where rows are matched in it; empty: not said
    std::int64_t carried = 0;      // bytes from token to token where the table is read; 0: not said
};

struct TableSection {
    std::string key, label;            // of a task; both empty in a table of one section
    std::vector<std::string> heads;    // of the labels
    std::optional<std::int64_t> size;  // where it is read; absent: at each run's largest test size
    std::optional<double> majority;    // scaled accuracy of always giving the most frequent answer there
    std::vector<TableLine> lines;
    Metric metric = Metric::accuracy;
};

struct ResultTable {
    std::string kind, name, title;  // kind: what programs find the name under, "table" or "sweep"
    std::string source;             // of the published figures; empty: there are none
    double pass = kPass;
    bool overview = false;  // first a grid of all sections: the lines of every first label beside one another
    bool of_best = false;   // @N and the overview show the best replica, as papers do; else the median of the seeds
    std::vector<TableSection> sections;
};

/// The result of a run on disk: its summary at `size` (absent: at its largest test size), or how far it is. Throws
/// UserError when it was not tested there.
void fill(TableLine& line, const RunDirectory& run, const RunSetup& setup, std::optional<std::int64_t> size,
          double pass = kPass);

std::string to_text(const ResultTable& table);
std::string to_markdown(const ResultTable& table);
/// JSON and CSV hold results alone, nothing of time or of the machine's load: an interrupted table that went on has the
/// same bytes. CSV has one line for each population and test size, under a line of names.
std::string to_json(const ResultTable& table);
std::string to_csv(const ResultTable& table);

/// A field of a CSV line, in quotes where it needs them.
std::string csv_field(const std::string& text);

/// Writes table.md, table.json and table.csv into a folder that exists.
void write_tables(const ResultTable& table, const std::string& folder);

/// Texts that hold for several lines: {names, text}.
using NamedTexts = std::vector<std::pair<std::string, std::string>>;
/// Adds a text, or the name to the names of the same text; an empty text is not added.
void add_shared(NamedTexts& texts, const std::string& name, const std::string& text);

}  // namespace whorl
