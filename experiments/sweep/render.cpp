// A sweep's table as text, Markdown, JSON and CSV.
#include <fmt/format.h>

#include <algorithm>

#include "experiments/sweep/table.hpp"

namespace whorl {
namespace {

using Row = std::vector<std::string>;

std::string percent(double scaled) {
    return fmt::format("{:.1f}", 100 * scaled);
}

Row heads(const SweepTable& table) {
    Row row = table.record.axes;
    for (const char* name : {"best", "median", "min", "max", "pass", "pass all", "rate", "s"}) row.emplace_back(name);
    for (const std::int64_t size : table.sizes()) row.push_back(fmt::format("@{}", size));
    return row;
}

// The median of the chosen seeds at each size, "-" where the run was not tested.
void append_curve(Row& row, const SweepCell& cell, const std::vector<std::int64_t>& sizes) {
    for (const std::int64_t size : sizes) {
        const auto found = std::find(cell.sizes.begin(), cell.sizes.end(), size);
        const auto at = static_cast<std::size_t>(found - cell.sizes.begin());
        row.push_back(found == cell.sizes.end() ? "-" : fmt::format("{:.0f}", 100 * cell.cell().median_curve[at]));
    }
}

Row cells_of(const SweepCell& cell, const std::vector<std::int64_t>& sizes, std::size_t columns) {
    Row row = cell.values;
    if (!cell.finished()) {
        row.push_back(cell.status);
        row.resize(columns);
        return row;
    }
    const Cell& c = cell.cell();
    for (const double value : {c.best, c.median, c.min, c.max}) row.push_back(percent(value));
    row.push_back(fmt::format("{}/{}", c.passed, c.seeds));
    row.push_back(fmt::format("{}/{}", c.passed_all, c.replicas));
    row.push_back(fmt::format("{:g}", c.best_rate));
    row.push_back(fmt::format("{:.0f}", cell.seconds));
    append_curve(row, cell, sizes);
    return row;
}

std::vector<Row> rows_of(const SweepTable& table) {
    std::vector<Row> rows = {heads(table)};
    const std::vector<std::int64_t> sizes = table.sizes();
    for (const SweepCell& cell : table.cells) rows.push_back(cells_of(cell, sizes, rows.front().size()));
    return rows;
}

std::string read_at_text(const SweepTable& table) {
    return table.record.size ? fmt::format("size {}", *table.record.size) : "each run's largest test size";
}

std::string legend(const SweepTable& table) {
    return fmt::format(
        "Scaled accuracy in percent (guessing = 0) on the test split, at {}. best: the replica with the highest "
        "validation accuracy.\nmedian, min, max, pass (at least {:g}) and @N (the median at size N): over the seeds of "
        "the learning rate, decay and dt range with\nthe highest mean validation accuracy; pass all: over the whole "
        "population; s: seconds of training and evaluation.\n",
        read_at_text(table), 100 * table.record.threshold);
}

std::string markdown_line(const Row& row) {
    std::string line = "|";
    for (const std::string& text : row) line += " " + text + " |";
    return line + "\n";
}

std::string csv_line(const Row& row) {
    std::string line;
    for (const std::string& text : row) line += (line.empty() ? "" : ",") + csv_field(text);
    return line + "\n";
}

Value numbers(const std::vector<double>& values) {
    Array items;
    for (const double value : values) items.emplace_back(value);
    return {std::move(items)};
}

Value cell_value(const SweepCell& cell, const std::vector<std::string>& axes) {
    Table axis_values;
    for (std::size_t i = 0; i < axes.size(); ++i) axis_values.push_back({axes[i], {cell.values[i]}});
    Table table = {{"axes", {std::move(axis_values)}}, {"status", {cell.status}}};
    if (!cell.finished()) return {std::move(table)};
    const Cell& c = cell.cell();
    Array sizes;
    for (const std::int64_t size : cell.sizes) sizes.emplace_back(size);
    const Table results = {{"size", {cell.sizes[cell.read_at]}},
                           {"best", {c.best}},
                           {"best_replica", {static_cast<std::int64_t>(c.best_replica)}},
                           {"median", {c.median}},
                           {"min", {c.min}},
                           {"max", {c.max}},
                           {"passed", {c.passed}},
                           {"seeds", {c.seeds}},
                           {"passed_all", {c.passed_all}},
                           {"replicas", {c.replicas}},
                           {"learning_rate", {c.best_rate}},
                           {"weight_decay", {cell.weight_decay}},
                           {"test_sizes", {std::move(sizes)}},
                           {"curve", numbers(c.curve)},
                           {"median_curve", numbers(c.median_curve)},
                           {"chance", {cell.chance}},
                           {"seconds", {cell.seconds}}};
    table.insert(table.end(), results.begin(), results.end());
    return {std::move(table)};
}

}  // namespace

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string to_text(const SweepTable& table) {
    const std::vector<Row> rows = rows_of(table);
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text = table.record.name + "\n\n";
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += i < table.record.axes.size() ? fmt::format("{:<{}}  ", row[i], widths[i])
                                                 : fmt::format("{:>{}}  ", row[i], widths[i]);
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text + "\n" + legend(table);
}

std::string to_markdown(const SweepTable& table) {
    const std::vector<Row> rows = rows_of(table);
    std::string text = fmt::format("# {}\n\n{}", table.record.name, markdown_line(rows.front()));
    text += markdown_line(Row(rows.front().size(), "---"));
    for (std::size_t i = 1; i < rows.size(); ++i) text += markdown_line(rows[i]);
    return text + "\n" + legend(table);
}

std::string to_json(const SweepTable& table) {
    Array cells;
    for (const SweepCell& cell : table.cells) cells.push_back(cell_value(cell, table.record.axes));
    return write_json({Table{{"sweep", {table.record.name}},
                             {"threshold", {table.record.threshold}},
                             {"cells", {std::move(cells)}}}},
                      2) +
           "\n";
}

std::string to_csv(const SweepTable& table) {
    Row names = table.record.axes;
    for (const char* name : {"size", "best", "median", "min", "max", "passed", "seeds", "passed_all", "replicas",
                             "best_replica", "learning_rate", "weight_decay", "chance", "seconds"})
        names.emplace_back(name);
    std::string text = csv_line(names);
    for (const SweepCell& cell : table.cells)
        for (std::size_t i = 0; i < cell.cells.size(); ++i) {
            const Cell& c = cell.cells[i];
            Row row = cell.values;
            row.push_back(std::to_string(cell.sizes[i]));
            for (const double value : {c.best, c.median, c.min, c.max}) row.push_back(fmt::format("{}", value));
            for (const std::int64_t count : {c.passed, c.seeds, c.passed_all, c.replicas})
                row.push_back(std::to_string(count));
            row.push_back(std::to_string(c.best_replica));
            for (const double value : {c.best_rate, cell.weight_decay, cell.chance, cell.seconds})
                row.push_back(fmt::format("{}", value));
            text += csv_line(row);
        }
    return text;
}

}  // namespace whorl
