#include "app/reproduce/piece_table.hpp"

#include <fmt/format.h>

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

bool same_piece(const PieceRecord& a, const PieceRecord& b) {
    return a.column == b.column && a.row == b.row && a.width == b.width && a.profile == b.profile;
}

// The same record twice is one: people copy folders.
void add(const PublishedTable& table, FoundPiece piece, std::vector<FoundPiece>& pieces) {
    column_of(table, piece.record.column, one_line(piece.path));
    row_of(table, piece.record.row, one_line(piece.path));
    for (const FoundPiece& other : pieces) {
        if (!same_piece(other.record, piece.record)) continue;
        if (to_json(other.record) == to_json(piece.record)) return;
        throw UserError(one_line(piece.path + ": another result of the same piece is in " + other.path +
                                 "; leave one of them out"));
    }
    pieces.push_back(std::move(piece));
}

// A table's columns may be those of another, as parity is of state tracking, where both follow the same protocol.
bool belongs(const PublishedTable& table, const PieceRecord& record) {
    if (record.table == table.name) return true;
    const std::vector<std::string> names = published_table_names();
    if (std::find(names.begin(), names.end(), record.table) == names.end()) return false;
    const auto same = [&](const TableColumn& column) { return record.column == column.key; };
    return table.protocol == TableProtocol::sweep && published_table(record.table).protocol == TableProtocol::sweep &&
           std::any_of(table.columns.begin(), table.columns.end(), same);
}

// True when there was one.
bool add_below(const PublishedTable& table, const std::string& path, std::vector<FoundPiece>& pieces) {
    bool any = false;
    for (const std::string& file : json_files(path)) {
        const auto record = piece_record(parse_json(read_text_file(file, kMostBytes), file));
        if (!record || !belongs(table, *record)) continue;
        add(table, {file, *record}, pieces);
        any = true;
    }
    return any;
}

// Rising; those of the table when there are no pieces.
std::vector<std::int64_t> widths_of(const PublishedTable& table, const std::vector<FoundPiece>& pieces,
                                    Profile profile) {
    std::set<std::int64_t> widths;
    for (const FoundPiece& piece : pieces) widths.insert(piece.record.width);
    if (widths.empty()) return table.widths_at(profile);
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

std::string model_text(const PieceRecord& record, const Summary& summary) {
    const DtRange& dt = summary.chosen.dt;
    const std::string range = dt.max > 0 ? fmt::format("{:g} to {:g}", dt.min, dt.max) : "as released";
    return fmt::format(
        "{} parameters, MLP {}, {} bytes carried at {}, {:.2f} million tokens a replica; Δ at the start {}",
        record.parameters, record.mlp, record.state_bytes, record.test_size,
        static_cast<double>(summary.tokens) / 1e6 / static_cast<double>(summary.replicas), range);
}

// Of the first piece; full when there are none. Throws UserError where the others are not of the same.
Profile profile_of(const std::vector<FoundPiece>& pieces) {
    for (const FoundPiece& piece : pieces)
        if (piece.record.profile != pieces.front().record.profile)
            throw UserError(one_line(piece.path + ": is of the profile " + name_of(piece.record.profile) + ", but " +
                                     pieces.front().path + " is of " + name_of(pieces.front().record.profile) +
                                     "; make a table of each"));
    return pieces.empty() ? Profile::full : pieces.front().record.profile;
}

void fill(const PublishedTable& table, TableSection& section, TableLine& line, const FoundPiece* piece,
          std::int64_t width) {
    const std::string text = std::to_string(width);
    line.name += " d" + text;
    line.labels.push_back(text);
    line.keys.push_back({"width", {width}});
    if (piece == nullptr) return;
    const PieceRecord& record = piece->record;
    line.summary = summarize(shown_population(table, record), record.test_size);
    const RunConfig recipe = recipe_of(record, piece->path);
    line.summary->chosen.weight_decay = recipe.replicas.weight_decays.front();
    if (recipe.replicas.dt_ranges.size() == 1) line.summary->chosen.dt = recipe.replicas.dt_ranges.front();
    line.protocol = protocol_text(recipe, record.test_size);
    if (table.protocol == TableProtocol::verdict)
        line.model = model_text(record, *line.summary), line.carried = record.state_bytes;
    if (table.protocol == TableProtocol::verdict && record.more_seeds)
        line.protocol += fmt::format("; shown: {} fresh seeds of the setting that these chose", line.summary->seeds);
    line.origin = origin_text(record.origin);
    if (record.metric == Metric::accuracy) section.majority = scaled_accuracy(record.majority, record.chance);
}

}  // namespace

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

std::vector<FoundPiece> find_pieces(const PublishedTable& table, const std::vector<std::string>& paths) {
    std::vector<FoundPiece> pieces;
    for (const std::string& path : paths)
        if (!add_below(table, path, pieces))
            throw UserError(one_line(path + ": holds no piece of the table " + in_quotes(table.name)));
    return pieces;
}

std::vector<FoundPiece> pieces_below(const PublishedTable& table, const std::vector<std::string>& paths) {
    std::vector<FoundPiece> pieces;
    for (const std::string& path : paths) add_below(table, path, pieces);
    return pieces;
}

PopulationResult shown_population(const PublishedTable& table, const PieceRecord& record) {
    PopulationResult population = static_cast<const PopulationResult&>(record);
    if (table.protocol == TableProtocol::verdict && record.more_seeds) population.replicas = fresh_replicas(record);
    return population;
}

ResultTable table_of(const PublishedTable& table, const std::vector<FoundPiece>& pieces) {
    ResultTable results = results_of(table);
    results.overview = true;
    results.of_best = table.protocol == TableProtocol::sweep;
    const Profile profile = profile_of(pieces);
    for (const TableColumn& column : table.columns) {
        if (!column.is_in(profile)) continue;
        TableSection& section =
            results.sections.emplace_back(section_of(column, column.at(profile).test_size, {"row", "d"}));
        for (const TableRow& row : table.rows) {
            if (!column.has(row.key, profile)) continue;
            for (const std::int64_t width : widths_of(table, pieces, profile)) {
                section.lines.push_back(line_of(table, column, row));
                fill(table, section, section.lines.back(), find_piece(pieces, column, row, width), width);
            }
        }
    }
    return results;
}

}  // namespace whorl
