// Tables for other programs: JSON and CSV.
#include <fmt/format.h>

#include "app/tables/table.hpp"

namespace whorl {
namespace {

// --- JSON ------------------------------------------------------------------------------------------------------------

template <class Number>
Value list_of_sizes(const Summary& summary, Number SizeSummary::*number) {
    Array items;
    for (const SizeSummary& one : summary.sizes) items.emplace_back(one.*number);
    return {std::move(items)};
}

void append(Table& to, const Table& more) {
    to.insert(to.end(), more.begin(), more.end());
}

Table result_members(const Summary& s) {
    const SizeSummary& at = s.read();
    return {{"size", {at.size}},
            {"best", {at.best}},
            {"best_replica", {static_cast<std::int64_t>(s.best_replica)}},
            {"curve", list_of_sizes(s, &SizeSummary::best)},
            {"median", {at.median}},
            {"min", {at.min}},
            {"max", {at.max}},
            {"median_curve", list_of_sizes(s, &SizeSummary::median)},
            {"passed", {at.passed}},
            {"seeds", {s.seeds}},
            {"median_all", {at.median_all}},
            {"passed_all", {at.passed_all}},
            {"replicas", {s.replicas}},
            {"learning_rate", {s.chosen.learning_rate}},
            {"weight_decay", {s.chosen.weight_decay}},
            {"dt_range", {Array{{s.chosen.dt.min}, {s.chosen.dt.max}}}},
            {"solved_early", {s.solved_early}},
            {"failed", {s.failed}},
            {"test_sizes", list_of_sizes(s, &SizeSummary::size)},
            {"chance", {s.chance}},
            {"tokens", {s.tokens}}};
}

Value cell_value(const ResultTable& table, const TableLine& line) {
    Table cell = line.keys;
    append(cell, {{"status", {std::string("finished")}}});
    append(cell, result_members(*line.summary));
    if (!table.source.empty()) append(cell, {{"paper_percent", line.published ? Value{*line.published} : Value{}}});
    if (line.summary->metric != Metric::accuracy)
        append(cell, {{"metric", {std::string(name_of(line.summary->metric))}}});
    if (!line.model.empty()) append(cell, {{"model", {line.model}}});
    if (line.carried > 0) append(cell, {{"bytes_carried", {line.carried}}});
    if (!line.origin.empty()) append(cell, {{"origin", {line.origin}}});
    return {std::move(cell)};
}

Value protocols(const TableSection& section) {
    NamedTexts texts;
    for (const TableLine& line : section.lines) add_shared(texts, line.name, line.protocol);
    Array values;
    for (const auto& [names, text] : texts) values.emplace_back(Table{{"cells", {names}}, {"protocol", {text}}});
    return {std::move(values)};
}

Table section_members(const ResultTable& table, const TableSection& section) {
    Array cells, missing;
    for (const TableLine& line : section.lines) {
        if (line.summary) {
            cells.push_back(cell_value(table, line));
            continue;
        }
        Table keys = line.keys;
        append(keys, {{"status", {line.status}}});
        missing.emplace_back(std::move(keys));
    }
    Table members;
    if (section.size) append(members, {{"test_size", {*section.size}}});
    if (section.majority) append(members, {{"majority_scaled", {*section.majority}}});
    append(members, {{"cells", {std::move(cells)}}, {"missing", {std::move(missing)}}});
    if (!section.key.empty()) append(members, {{"protocols", protocols(section)}});
    return members;
}

// --- CSV -------------------------------------------------------------------------------------------------------------

std::string plain_text(const Value& value) {
    const auto* text = std::get_if<std::string>(&value.data);
    return text ? *text : write_json(value);
}

// A line's keys in one row: those of a table inside, such as a sweep's axes, as if they stood outside.
Table flat(const Table& keys) {
    Table members;
    for (const Member& member : keys) {
        const Table* inner = std::get_if<Table>(&member.value.data);
        append(members, inner ? *inner : Table{member});
    }
    return members;
}

std::string csv_line(const std::vector<std::string>& fields) {
    std::string line;
    for (std::size_t i = 0; i < fields.size(); ++i) line += (i > 0 ? "," : "") + csv_field(fields[i]);
    return line + "\n";
}

std::vector<std::string> csv_names(const ResultTable& table) {
    std::vector<std::string> names;
    if (!table.sections.front().key.empty()) names.emplace_back("column");
    for (const Member& key : flat(table.sections.front().lines.front().keys)) names.push_back(key.key);
    for (const char* name : {"size", "best", "median", "min", "max", "passed", "seeds", "median_all", "passed_all",
                             "replicas", "best_replica", "learning_rate", "weight_decay", "chance"})
        names.emplace_back(name);
    return names;
}

std::vector<std::string> csv_fields(const TableSection& section, const TableLine& line, const SizeSummary& at) {
    const Summary& s = *line.summary;
    std::vector<std::string> fields;
    if (!section.key.empty()) fields.push_back(section.key);
    for (const Member& key : flat(line.keys)) fields.push_back(plain_text(key.value));
    for (const std::string& field :
         {fmt::format("{}", at.size), fmt::format("{}", at.best), fmt::format("{}", at.median),
          fmt::format("{}", at.min), fmt::format("{}", at.max), fmt::format("{}", at.passed),
          fmt::format("{}", s.seeds), fmt::format("{}", at.median_all), fmt::format("{}", at.passed_all),
          fmt::format("{}", s.replicas), fmt::format("{}", s.best_replica), fmt::format("{}", s.chosen.learning_rate),
          fmt::format("{}", s.chosen.weight_decay), fmt::format("{}", s.chance)})
        fields.push_back(field);
    return fields;
}

}  // namespace

std::string to_json(const ResultTable& table) {
    Table root{{table.kind, {table.name}}, {"threshold", {table.pass}}};
    Array sections;
    for (const TableSection& section : table.sections) {
        if (section.key.empty()) {
            append(root, section_members(table, section));
            continue;
        }
        Table members{{"key", {section.key}}, {"label", {section.label}}};
        append(members, section_members(table, section));
        sections.emplace_back(std::move(members));
    }
    if (!sections.empty()) append(root, {{"columns", {std::move(sections)}}});
    return write_json({std::move(root)}, 1) + "\n";
}

std::string to_csv(const ResultTable& table) {
    std::string text = csv_line(csv_names(table));
    for (const TableSection& section : table.sections)
        for (const TableLine& line : section.lines) {
            if (!line.summary) continue;
            for (const SizeSummary& at : line.summary->sizes) text += csv_line(csv_fields(section, line, at));
        }
    return text;
}

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

}  // namespace whorl
