// A table of results for other programs.
#include "core/io/value.hpp"
#include "experiments/reproduce/table.hpp"

namespace whorl {
namespace {

Value numbers(const std::vector<double>& values) {
    Array items;
    for (const double value : values) items.emplace_back(value);
    return {std::move(items)};
}

Value row_value(const RowResult& row, const std::optional<double>& paper) {
    return {Table{{"key", {std::string(row.row->key)}},
                  {"label", {std::string(row.row->label)}},
                  {"median", {row.median}},
                  {"min", {row.min}},
                  {"max", {row.max}},
                  {"median_curve", numbers(row.median_curve)},
                  {"passed", {row.passed}},
                  {"seeds", {row.seeds}},
                  {"best_rate", {row.best_rate}},
                  {"best", {row.best}},
                  {"best_replica", {static_cast<std::int64_t>(row.best_replica)}},
                  {"curve", numbers(row.curve)},
                  {"passed_all", {row.passed_all}},
                  {"replicas", {row.replicas}},
                  {"paper_percent", paper ? Value{*paper} : Value{}},
                  {"seconds", {row.seconds}}}};
}

Value column_value(const ColumnResult& column, std::size_t index, const std::string& device) {
    Array rows, sizes;
    for (const RowResult& row : column.rows) rows.push_back(row_value(row, row.row->paper[index]));
    for (const std::int64_t size : column.config.test.sizes) sizes.emplace_back(size);
    return {Table{{"key", {std::string(column.column->key)}},
                  {"recipe", {std::string(column.profile->recipe)}},
                  {"test_size", {column.profile->test_size}},
                  {"test_sizes", {std::move(sizes)}},
                  {"chance", {column.chance}},
                  {"majority_scaled", {column.majority}},
                  {"protocol", {protocol_text(column, device)}},
                  {"seconds", {column.seconds()}},
                  {"rows", {std::move(rows)}}}};
}

}  // namespace

std::string to_json(const TableResult& result) {
    Array columns;
    for (const ColumnResult& column : result.columns) {
        std::size_t index = 0;  // among all columns of the table
        while (result.table->columns[index].key != column.column->key) ++index;
        columns.push_back(column_value(column, index, result.device));
    }
    const Value value{Table{
        {"table", {std::string(result.table->name)}}, {"device", {result.device}}, {"columns", {std::move(columns)}}}};
    return write_json(value, 2) + "\n";
}

}  // namespace whorl
