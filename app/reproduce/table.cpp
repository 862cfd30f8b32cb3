#include "app/reproduce/table.hpp"

#include <algorithm>

namespace whorl {

bool TableColumn::has(const std::string& row, Profile profile) const {
    const std::vector<std::string>& rows = at(profile).rows;
    return is_in(profile) && (rows.empty() || std::find(rows.begin(), rows.end(), row) != rows.end());
}

std::optional<double> PublishedTable::figure(const std::string& column, const std::string& row) const {
    for (const PublishedFigure& figure : figures)
        if (column == figure.column && row == figure.row) return figure.percent;
    return std::nullopt;
}

SecondStage PublishedTable::second_stage() const {
    if (protocol == TableProtocol::verdict) return {1, fresh_seeds};
    return {2, 2};
}

std::string preset_of(const TableRow& row, const TableProfile& profile) {
    for (const OtherPreset& other : profile.others)
        if (other.row == row.key) return other.preset;
    return row.preset;
}

ResultTable results_of(const PublishedTable& table) {
    ResultTable results;
    results.kind = "table", results.name = table.name, results.title = table.title, results.source = table.source;
    return results;
}

TableSection section_of(const TableColumn& column, std::int64_t test_size, std::vector<std::string> heads) {
    return {column.key, column.label, std::move(heads), test_size, std::nullopt, {}, column.metric};
}

TableLine line_of(const PublishedTable& table, const TableColumn& column, const TableRow& row) {
    TableLine line;
    line.name = row.key, line.labels = {row.label}, line.keys = {{"row", {row.key}}};
    line.published = table.figure(column.key, row.key);
    line.status = "–";
    return line;
}

}  // namespace whorl
