// A table of results as text and Markdown: one section a column, and for several columns a summary first.
#include <fmt/format.h>

#include "experiments/reproduce/grid_text.hpp"
#include "experiments/reproduce/protocol.hpp"
#include "experiments/reproduce/table.hpp"

namespace whorl {
namespace {

double percent(double scaled) {
    return 100 * scaled;
}

std::string paper_text(const TableRow& row, std::size_t column) {
    return row.paper[column] ? fmt::format("{:.2f}", *row.paper[column]) : "-";
}

std::size_t index_of(const TableResult& result, const ColumnResult& column) {
    std::size_t index = 0;
    while (result.table->columns[index].key != column.column->key) ++index;
    return index;
}

Grid detail_grid(const TableResult& result, const ColumnResult& column) {
    Grid grid = {{"row", "median", "min", "max", "pass", "best", "pass all", "rate", "paper", "s"}};
    for (const std::int64_t size : column.config.test.sizes) grid[0].push_back(fmt::format("@{}", size));
    for (const RowResult& row : column.rows) {
        grid.push_back({row.row->label, fmt::format("{:.1f}", percent(row.median)),
                        fmt::format("{:.1f}", percent(row.min)), fmt::format("{:.1f}", percent(row.max)),
                        fmt::format("{}/{}", row.passed, row.seeds), fmt::format("{:.1f}", percent(row.best)),
                        fmt::format("{}/{}", row.passed_all, row.replicas), fmt::format("{:g}", row.best_rate),
                        paper_text(*row.row, index_of(result, column)), fmt::format("{:.0f}", row.seconds)});
        for (const double value : row.median_curve) grid.back().push_back(fmt::format("{:.0f}", percent(value)));
    }
    return grid;
}

Grid summary_grid(const TableResult& result) {
    Grid grid = {{"row"}};
    for (const ColumnResult& column : result.columns)
        for (const char* head : {"", "paper"}) grid[0].push_back(*head ? head : column.column->label);
    for (std::size_t r = 0; r < result.columns.front().rows.size(); ++r) {
        grid.push_back({result.columns.front().rows[r].row->label});
        for (const ColumnResult& column : result.columns) {
            const RowResult& row = column.rows[r];
            grid.back().push_back(fmt::format("{:.1f} / {:.1f}", percent(row.median), percent(row.best)));
            grid.back().push_back(paper_text(*row.row, index_of(result, column)));
        }
    }
    return grid;
}

std::string legend(const ColumnResult& column) {
    return fmt::format(
        "Scaled accuracy in percent on the test split at size {} (guessing: 0, chance accuracy {:g}; always the most "
        "frequent answer: {:.1f}).\n"
        "median, min, max, pass (at least {:.0f}) and the curve @N (medians): over the seeds at the learning rate "
        "with the highest\n"
        "mean validation accuracy; best: the replica with the highest validation accuracy; pass all: in the whole "
        "population;\n"
        "s: seconds of training and evaluation.\n",
        column.profile->test_size, column.chance, percent(column.majority), percent(kPass));
}

constexpr const char* kSummaryLegend =
    "Each cell: median over the seeds at the learning rate chosen on validation data / the replica that is best on "
    "validation data;\nscaled accuracy in percent on test data. The paper gives the best of its sweep.\n";

std::string sections(const TableResult& result, std::string (*draw)(const Grid&), const char* heading) {
    std::string text;
    if (result.columns.size() > 1) text += draw(summary_grid(result)) + "\n" + kSummaryLegend + "\n";
    for (const ColumnResult& column : result.columns) {
        if (result.columns.size() > 1) text += fmt::format("{}{}\n\n", heading, column.column->label);
        text += fmt::format("{}\n{}\nOurs: {}.\n\n", draw(detail_grid(result, column)), legend(column),
                            protocol_text(column, result.device));
    }
    return text + fmt::format("Paper: {}\n", result.table->source);
}

// Of the first row: rows whose Δ is a decay only keep the range of their release (published.cpp).
std::string dt_text(const std::vector<DtRange>& ranges) {
    const std::string text = range_text(ranges);
    return ranges.front().max == 0 ? text : text + " in the Mamba-3 rows, as released in the others";
}

}  // namespace

double ColumnResult::seconds() const {
    double sum = 0;
    for (const RowResult& row : rows) sum += row.seconds;
    return sum;
}

std::string protocol_text(const ColumnResult& column, const std::string& device) {
    const RunConfig& config = column.config;
    return fmt::format(
        "{}; {} replicas a row: learning rates {} x {} seeds; d_model {}; {:.0f} s in all on {}; Δ at the start {}; "
        "determinism {}",
        training_text(config, column.profile->test_size), config.replicas.count(),
        list_text(config.replicas.learning_rates), config.replicas.seeds, config.model.config->d_model,
        column.seconds(), device, dt_text(config.replicas.dt_ranges), name_of(*config.determinism));
}

std::string to_text(const TableResult& result) {
    return fmt::format("{}\n\n{}", result.table->title, sections(result, text_of, ""));
}

std::string to_markdown(const TableResult& result) {
    return fmt::format("# {}\n\n{}", result.table->title, sections(result, markdown_of, "## "));
}

}  // namespace whorl
