#include "app/reproduce/piece_table.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "app/reproduce/protocol.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 1 << 26;

// Sorted, so that what is found does not depend on the file system.
std::vector<std::string> json_files(const std::string& path) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) return {path};
    if (!fs::is_directory(path, error)) throw UserError(one_line(path + ": there is no such file or folder"));
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(path, error))
        if (entry.path().extension() == ".json" && entry.is_regular_file(error)) files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

bool same_piece(const PieceRecord& a, const PieceRecord& b) {
    return a.column == b.column && a.row == b.row && a.width == b.width;
}

template <class Item>
void require_key(const std::vector<Item>& items, const std::string& key, const char* what, const std::string& path) {
    const auto same = [&](const Item& item) { return key == item.key; };
    if (std::none_of(items.begin(), items.end(), same))
        throw UserError(one_line(path + ": the table has no " + what + " " + in_quotes(key)));
}

// The same record twice is one: people copy folders.
void add(const PublishedTable& table, FoundPiece piece, std::vector<FoundPiece>& pieces) {
    require_key(table.columns, piece.record.column, "column", piece.path);
    require_key(table.rows, piece.record.row, "row", piece.path);
    for (const FoundPiece& other : pieces) {
        if (!same_piece(other.record, piece.record)) continue;
        if (to_json(other.record) == to_json(piece.record)) return;
        throw UserError(one_line(piece.path + ": another result of the same piece is in " + other.path +
                                 "; leave one of them out"));
    }
    pieces.push_back(std::move(piece));
}

// A table's columns may be those of another, as parity is of state tracking.
bool belongs(const PublishedTable& table, const PieceRecord& record) {
    const auto same = [&](const TableColumn& column) { return record.column == column.key; };
    return std::any_of(table.columns.begin(), table.columns.end(), same);
}

// Rising; those of the table when there are no pieces.
std::vector<std::int64_t> widths_of(const PublishedTable& table, const std::vector<FoundPiece>& pieces) {
    std::set<std::int64_t> widths;
    for (const FoundPiece& piece : pieces) widths.insert(piece.record.width);
    if (widths.empty()) return table.widths;
    return {widths.begin(), widths.end()};
}

const FoundPiece* find_piece(const std::vector<FoundPiece>& pieces, const TableColumn& column, const TableRow& row,
                             std::int64_t width) {
    for (const FoundPiece& piece : pieces)
        if (piece.record.column == column.key && piece.record.row == row.key && piece.record.width == width)
            return &piece;
    return nullptr;
}

std::string origin_text(const PieceOrigin& origin) {
    std::string text = Origin{{origin.version, origin.commit, origin.compiler}, origin.processor, origin.device}.text();
    for (const std::string& earlier : origin.earlier) text += "; begun by " + earlier;
    return text;
}

void fill(TableSection& section, TableLine& line, const FoundPiece* piece, std::int64_t width) {
    const std::string text = std::to_string(width);
    line.name += " d" + text;
    line.labels.push_back(text);
    line.keys.push_back({"width", {width}});
    if (piece == nullptr) return;
    const PieceRecord& record = piece->record;
    line.summary = summarize(record, record.test_size);
    const RunConfig recipe = recipe_of(record, piece->path);
    line.summary->chosen.weight_decay = recipe.replicas.weight_decays.front();
    line.summary->chosen.dt = recipe.replicas.dt_ranges.front();
    line.protocol = protocol_text(recipe, record.test_size);
    line.origin = origin_text(record.origin);
    section.majority = scaled_accuracy(record.majority, record.chance);
}

}  // namespace

std::vector<FoundPiece> find_pieces(const PublishedTable& table, const std::vector<std::string>& paths) {
    std::vector<FoundPiece> pieces;
    for (const std::string& path : paths) {
        bool any = false;
        for (const std::string& file : json_files(path)) {
            const auto record = piece_record(parse_json(read_text_file(file, kMostBytes), file));
            if (!record || !belongs(table, *record)) continue;
            add(table, {file, *record}, pieces);
            any = true;
        }
        if (!any) throw UserError(one_line(path + ": holds no piece of the table " + in_quotes(table.name)));
    }
    return pieces;
}

ResultTable table_of(const PublishedTable& table, const std::vector<FoundPiece>& pieces) {
    ResultTable results = results_of(table);
    results.overview = results.of_best = true;
    for (const TableColumn& column : table.columns) {
        TableSection& section = results.sections.emplace_back(section_of(column, column.full.test_size, {"row", "d"}));
        for (const TableRow& row : table.rows)
            for (const std::int64_t width : widths_of(table, pieces)) {
                section.lines.push_back(line_of(table, column, row));
                fill(section, section.lines.back(), find_piece(pieces, column, row, width), width);
            }
    }
    return results;
}

}  // namespace whorl
