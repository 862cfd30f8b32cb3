// Tables as text and Markdown.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/tables/grid.hpp"
#include "app/tables/table.hpp"

namespace whorl {
namespace {

using Line = std::vector<std::string>;
constexpr const char* kNone = "–";

// Bits as they are, all else in percent.
std::string number(Metric metric, double value) {
    return metric == Metric::bits ? fmt::format("{:.3f}", value) : fmt::format("{:.1f}", 100 * value);
}

// In the columns of sizes.
std::string short_number(Metric metric, double value) {
    return metric == Metric::bits ? fmt::format("{:.3f}", value) : fmt::format("{:.0f}", 100 * value);
}

std::string metric_text(Metric metric) {
    switch (metric) {
        case Metric::accuracy:
            break;
        case Metric::found:
            return "Share of answers all of whose tokens are right, in percent,";
        case Metric::bits:
            return "Bits a token, above the best possible predictor where one is known (less is better),";
    }
    return "Scaled accuracy in percent (guessing: 0)";
}

std::string published_text(const TableLine& line) {
    return line.published ? fmt::format("{:.2f}", *line.published) : kNone;
}

// --- the overview: a line for each first label, all sections beside one another --------------------------------------

std::string overview_cell(const ResultTable& table, const TableLine& line) {
    if (!line.summary) return line.status;
    const SizeSummary& s = line.summary->read();
    const auto percent = [&](double value) { return number(line.summary->metric, value); };
    return table.of_best ? fmt::format("{} ({}/{})", percent(s.best), s.passed_all, line.summary->replicas)
                         : fmt::format("{} / {}", percent(s.median), percent(s.best));
}

// How many lines the section has for each label.
std::size_t lines_of_label(const TableSection& section) {
    return static_cast<std::size_t>(std::count_if(
        section.lines.begin(), section.lines.end(),
        [&](const TableLine& line) { return line.labels.front() == section.lines.front().labels.front(); }));
}

// A section may lack the label: not every row is in every column.
void append_overview(const ResultTable& table, const TableSection& section, const std::string& label, Line& to) {
    std::string published = kNone;
    const std::size_t end = to.size() + lines_of_label(section);
    for (const TableLine& line : section.lines) {
        if (line.labels.front() != label) continue;
        to.push_back(overview_cell(table, line));
        published = published_text(line);
    }
    to.resize(end, kNone);
    to.push_back(published);
}

Line overview_heads(const ResultTable& table) {
    Line heads = {table.sections.front().heads.front()};
    for (const TableSection& section : table.sections) {
        for (const TableLine& line : section.lines) {
            if (line.labels.front() != section.lines.front().labels.front()) continue;
            std::string head = section.label;
            for (std::size_t i = 1; i < line.labels.size(); ++i) head += ", " + section.heads[i] + " " + line.labels[i];
            heads.push_back(head);
        }
        heads.emplace_back("paper");
    }
    return heads;
}

Grid overview(const ResultTable& table) {
    std::vector<std::string> labels;
    for (const TableSection& section : table.sections)
        for (const TableLine& line : section.lines)
            if (std::find(labels.begin(), labels.end(), line.labels.front()) == labels.end())
                labels.push_back(line.labels.front());
    Grid grid{{overview_heads(table)}};
    for (const std::string& label : labels) {
        grid.lines.push_back({label});
        for (const TableSection& section : table.sections) append_overview(table, section, label, grid.lines.back());
    }
    return grid;
}

std::string overview_legend(const ResultTable& table) {
    if (table.sections.front().metric != Metric::accuracy)
        return "On test data: median over the seeds of the setting that is best on validation data / the replica that "
               "is best there. –: not measured.\n";
    return fmt::format(
        "Scaled accuracy in percent on test data (guessing: 0): {}.\nThe paper gives the best of its sweep. –: not "
        "measured, or not in the paper.\n",
        table.of_best ? fmt::format("the replica that is best on validation data, and how many replicas reach {:.0f}",
                                    100 * table.pass)
                      : "median over the seeds of the setting that is best on validation data / the replica that is "
                        "best there");
}

// --- a section -------------------------------------------------------------------------------------------------------

/// A column of numbers.
struct Column {
    std::string head;
    std::string (*text)(const Summary&);
};

const std::vector<Column>& columns() {
    static const std::vector<Column> list = {
        {"best", [](const Summary& s) { return number(s.metric, s.read().best); }},
        {"median", [](const Summary& s) { return number(s.metric, s.read().median); }},
        {"min", [](const Summary& s) { return s.seeds > 1 ? number(s.metric, s.read().min) : kNone; }},
        {"max", [](const Summary& s) { return s.seeds > 1 ? number(s.metric, s.read().max) : kNone; }},
        {"pass", [](const Summary& s) { return fmt::format("{}/{}", s.read().passed, s.seeds); }},
        {"median all", [](const Summary& s) { return number(s.metric, s.read().median_all); }},
        {"pass all", [](const Summary& s) { return fmt::format("{}/{}", s.read().passed_all, s.replicas); }},
        {"rate", [](const Summary& s) { return fmt::format("{:g}", s.chosen.learning_rate); }},
    };
    return list;
}

const std::vector<Column>& last_columns() {
    static const std::vector<Column> list = {
        {"early", [](const Summary& s) { return std::to_string(s.solved_early); }},
        {"Mtokens", [](const Summary& s) { return fmt::format("{:.0f}", static_cast<double>(s.tokens) / 1e6); }},
        {"s", [](const Summary& s) { return fmt::format("{:.0f}", s.seconds); }},
    };
    return list;
}

std::set<std::int64_t> sizes_of(const TableSection& section) {
    std::set<std::int64_t> sizes;
    for (const TableLine& line : section.lines)
        if (line.summary)
            for (const SizeSummary& one : line.summary->sizes) sizes.insert(one.size);
    return sizes;
}

std::string at_size(const ResultTable& table, const Summary& summary, std::int64_t size) {
    for (const SizeSummary& one : summary.sizes)
        if (one.size == size) return short_number(summary.metric, table.of_best ? one.best : one.median);
    return kNone;
}

bool says_bytes(const TableSection& section) {
    return std::any_of(section.lines.begin(), section.lines.end(),
                       [](const TableLine& line) { return line.carried > 0; });
}

Line detail_line(const ResultTable& table, const TableSection& section, const TableLine& line,
                 const std::set<std::int64_t>& sizes) {
    Line cells = line.labels;
    const Summary& summary = *line.summary;
    if (says_bytes(section)) cells.push_back(line.carried > 0 ? std::to_string(line.carried) : kNone);
    for (const Column& column : columns()) cells.push_back(column.text(summary));
    if (!table.source.empty()) cells.push_back(published_text(line));
    for (const std::int64_t size : sizes) cells.push_back(at_size(table, summary, size));
    for (const Column& column : last_columns()) cells.push_back(column.text(summary));
    return cells;
}

Grid details(const ResultTable& table, const TableSection& section) {
    const std::set<std::int64_t> sizes = sizes_of(section);
    Line heads = section.heads;
    if (says_bytes(section)) heads.emplace_back("bytes");
    for (const Column& column : columns()) heads.push_back(column.head);
    if (!table.source.empty()) heads.emplace_back("paper");
    for (const std::int64_t size : sizes) heads.push_back(fmt::format("@{}", size));
    for (const Column& column : last_columns()) heads.push_back(column.head);
    Grid grid{{heads}, section.heads.size()};
    for (const TableLine& line : section.lines) {
        grid.lines.push_back(line.summary ? detail_line(table, section, line, sizes) : line.labels);
        if (!line.summary) grid.lines.back().push_back(line.status);
        grid.lines.back().resize(heads.size());
    }
    return grid;
}

std::string read_at_text(const TableSection& section, const Summary& first) {
    std::string text = section.size ? fmt::format("size {}", *section.size) : "each run's largest test size";
    if (section.majority)
        text += fmt::format(" (guessing is right with {:g} %; always the most frequent answer: {:.1f})",
                            100 * first.chance, 100 * *section.majority);
    return text;
}

std::string legend(const ResultTable& table, const TableSection& section, const Summary& first) {
    return fmt::format(
        "{} on the test split, at {}.\nbest: the replica that is best on "
        "validation data, at the largest validated size. median, min, max, pass (at least {:g}): over the seeds\nof "
        "the learning rate, decay and dt range that are best there; rate: that learning rate. median all, pass all: "
        "over all replicas.\n@N: at size N, of {}. {}early: replicas that stopped as solved; Mtokens: millions of "
        "tokens "
        "trained on,\ns: seconds of training and evaluation, of all replicas together.\n",
        metric_text(first.metric), read_at_text(section, first), 100 * table.pass,
        table.of_best ? "the best replica" : "the seeds' median",
        says_bytes(section) ? "bytes: carried from token to token. " : "");
}

// One text for all lines needs no names.
std::string notes(const char* what, const NamedTexts& texts) {
    std::string result;
    for (const auto& [names, text] : texts)
        result += fmt::format("\n{}{}: {}.\n", what, texts.size() == 1 ? "" : " (" + names + ")", text);
    return result;
}

std::string section_text(const ResultTable& table, const TableSection& section, std::string (*draw)(const Grid&)) {
    const auto first = std::find_if(section.lines.begin(), section.lines.end(),
                                    [](const TableLine& line) { return line.summary.has_value(); });
    std::string text = draw(details(table, section));
    if (first != section.lines.end()) text += "\n" + legend(table, section, *first->summary);
    NamedTexts protocols;
    for (const TableLine& line : section.lines) add_shared(protocols, line.name, line.protocol);
    std::string models;
    for (const TableLine& line : section.lines)
        if (!line.model.empty()) models += fmt::format("- {}: {}\n", line.name, line.model);
    return text + (models.empty() ? "" : "\nModels:\n\n" + models) + notes("Protocol", protocols);
}

std::string whole(const ResultTable& table, std::string (*draw)(const Grid&), const char* heading) {
    std::string text;
    if (table.overview) text += draw(overview(table)) + "\n" + overview_legend(table) + "\n";
    NamedTexts origins;
    for (const TableSection& section : table.sections) {
        if (table.overview) text += fmt::format("{}{}\n\n", heading, section.label);
        text += section_text(table, section, draw) + (table.overview ? "\n" : "");
        const std::string column = section.key.empty() ? "" : section.key + " ";
        for (const TableLine& line : section.lines) add_shared(origins, column + line.name, line.origin);
    }
    text += notes("Made by", origins);
    return table.source.empty() ? text : text + fmt::format("\nPaper: {}\n", table.source);
}

}  // namespace

std::string to_text(const ResultTable& table) {
    return fmt::format("{}\n\n{}", table.title, whole(table, text_of, ""));
}

std::string to_markdown(const ResultTable& table) {
    return fmt::format("# {}\n\n{}", table.title, whole(table, markdown_of, "## "));
}

}  // namespace whorl
