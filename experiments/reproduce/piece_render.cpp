// A table made of pieces as text and Markdown.
#include <fmt/format.h>

#include <algorithm>

#include "experiments/reproduce/grid_text.hpp"
#include "experiments/reproduce/piece_table.hpp"
#include "experiments/reproduce/protocol.hpp"
#include "experiments/run/cell.hpp"

namespace whorl {
namespace {

using Line = std::vector<std::string>;
constexpr const char* kMissing = "–";

std::string percent(double scaled) {
    return fmt::format("{:.1f}", 100 * scaled);
}

std::string paper_text(const PieceTable& table, const TableRow& row, const TableColumn& column) {
    const auto index = static_cast<std::size_t>(&column - table.table->columns.data());
    return row.paper[index] ? fmt::format("{:.2f}", *row.paper[index]) : kMissing;
}

Line summary_head(const PieceTable& table) {
    Line head = {"row"};
    for (const TableColumn& column : table.table->columns) {
        for (const std::int64_t width : table.widths()) head.push_back(fmt::format("{}, d {}", column.label, width));
        head.emplace_back("paper");
    }
    return head;
}

Grid summary_grid(const PieceTable& table) {
    Grid grid = {summary_head(table)};
    for (const TableRow& row : table.table->rows) {
        Line line = {row.label};
        for (const TableColumn& column : table.table->columns) {
            for (const std::int64_t width : table.widths()) {
                const FoundPiece* piece = table.at(column, row, width);
                line.push_back(piece ? fmt::format("{} ({}/{})", percent(piece->summary.best), piece->summary.passed,
                                                   piece->summary.replicas)
                                     : kMissing);
            }
            line.push_back(paper_text(table, row, column));
        }
        grid.push_back(std::move(line));
    }
    return grid;
}

std::vector<const FoundPiece*> pieces_of(const PieceTable& table, const TableColumn& column) {
    std::vector<const FoundPiece*> found;
    for (const TableRow& row : table.table->rows)
        for (const std::int64_t width : table.widths())
            if (const FoundPiece* piece = table.at(column, row, width)) found.push_back(piece);
    return found;
}

std::vector<std::int64_t> sizes_of(const std::vector<const FoundPiece*>& pieces) {
    std::vector<std::int64_t> sizes;
    for (const FoundPiece* piece : pieces)
        sizes.insert(sizes.end(), piece->record.test_sizes.begin(), piece->record.test_sizes.end());
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    return sizes;
}

void append_curve(Line& line, const FoundPiece& piece, const std::vector<std::int64_t>& sizes) {
    for (const std::int64_t size : sizes) {
        const auto found = std::find(piece.record.test_sizes.begin(), piece.record.test_sizes.end(), size);
        const auto at = static_cast<std::size_t>(found - piece.record.test_sizes.begin());
        line.push_back(found == piece.record.test_sizes.end() ? kMissing
                                                              : fmt::format("{:.0f}", 100 * piece.summary.curve[at]));
    }
}

Line detail_line(const TableRow& row, const FoundPiece& piece, const std::vector<std::int64_t>& sizes) {
    const PieceSummary& s = piece.summary;
    const bool several = s.seeds > 1;
    const auto of_seeds = [several](double value) { return several ? percent(value) : std::string(kMissing); };
    Line line = {row.label,
                 std::to_string(piece.record.width),
                 percent(s.best),
                 percent(s.median),
                 fmt::format("{}/{}", s.passed, s.replicas),
                 fmt::format("{:g}", s.rate),
                 of_seeds(s.seed_min),
                 of_seeds(s.seed_median),
                 of_seeds(s.seed_max),
                 fmt::format("{}/{}", s.seeds_passed, s.seeds)};
    append_curve(line, piece, sizes);
    line.push_back(std::to_string(s.solved_early));
    line.push_back(fmt::format("{:.0f}", static_cast<double>(piece.record.tokens()) / 1e6));
    line.push_back(fmt::format("{:.0f}", piece.record.seconds));
    return line;
}

Grid detail_grid(const PieceTable& table, const TableColumn& column) {
    const std::vector<const FoundPiece*> pieces = pieces_of(table, column);
    const std::vector<std::int64_t> sizes = sizes_of(pieces);
    Line head = {"row", "d", "best", "median", "pass", "rate", "seeds: min", "median", "max", "pass"};
    for (const std::int64_t size : sizes) head.push_back(fmt::format("@{}", size));
    for (const char* name : {"early", "Mtokens", "s"}) head.emplace_back(name);
    Grid grid = {head};
    for (const TableRow& row : table.table->rows)
        for (const FoundPiece* piece : pieces)
            if (piece->record.row == row.key) grid.push_back(detail_line(row, *piece, sizes));
    return grid;
}

/// Texts, and which pieces each holds for; in the order in which they first appear.
class Shared {
public:
    void add(const std::string& text, const std::string& piece) {
        for (auto& [known, pieces] : texts_)
            if (known == text) {
                pieces += ", " + piece;
                return;
            }
        texts_.emplace_back(text, piece);
    }
    // One text for all needs no names.
    std::string lines(const char* what) const {
        std::string result;
        for (const auto& [text, pieces] : texts_)
            result += texts_.size() == 1 ? fmt::format("{}: {}.\n\n", what, text)
                                         : fmt::format("{} of {}: {}.\n\n", what, pieces, text);
        return result;
    }

private:
    std::vector<std::pair<std::string, std::string>> texts_;
};

std::string short_name(const PieceRecord& record) {
    return fmt::format("{} d{}", record.row, record.width);
}

std::string protocols(const std::vector<const FoundPiece*>& pieces) {
    Shared shared;
    for (const FoundPiece* piece : pieces) {
        const RunConfig config = recipe_of(piece->record, piece->path);
        shared.add(
            fmt::format("{}; learning rates {}; Δ at the start {}; determinism {}",
                        training_text(config, piece->record.test_size), list_text(config.replicas.learning_rates),
                        range_text(config.replicas.dt_ranges), name_of(*config.determinism)),
            short_name(piece->record));
    }
    return shared.lines("Protocol");
}

std::string machines(const PieceTable& table) {
    Shared shared;
    for (const FoundPiece& piece : table.pieces) {
        const PieceOrigin& o = piece.record.origin;
        std::string text = Origin{{o.version, o.commit, o.compiler}, o.processor, o.device}.text();
        for (const std::string& earlier : o.earlier) text += "; begun by " + earlier;
        shared.add(text, piece.record.column + " " + short_name(piece.record));
    }
    return shared.lines("Made by");
}

std::string legend(const std::vector<const FoundPiece*>& pieces) {
    const PieceRecord& first = pieces.front()->record;
    return fmt::format(
        "At size {}; guessing is right with {:g} %, always giving the most frequent answer is {:.1f} scaled. best: the "
        "replica that is best on validation\ndata, and the curve @N is its; median and pass (at least {:.0f}): over "
        "all "
        "replicas. seeds: those of the rate that is best on validation\ndata. early: replicas that stopped as solved; "
        "Mtokens: millions of tokens trained on, s: seconds, of all replicas together.\n",
        first.test_size, 100 * first.chance, 100 * scaled_accuracy(first.majority, first.chance), 100 * kPass);
}

constexpr const char* kSummaryLegend =
    "Scaled accuracy in percent on test data (guessing: 0) of the replica that is best on validation data, and how "
    "many replicas of its sweep reach 90.\nThe paper gives the best of its sweep. –: not measured, or not in the "
    "paper.\n";

std::string section(const PieceTable& table, const TableColumn& column, std::string (*draw)(const Grid&)) {
    const auto pieces = pieces_of(table, column);
    if (pieces.empty()) return "No piece of this column is there yet.\n\n";
    return draw(detail_grid(table, column)) + "\n" + legend(pieces) + "\n" + protocols(pieces);
}

std::string whole(const PieceTable& table, std::string (*draw)(const Grid&), const char* heading) {
    std::string text = draw(summary_grid(table)) + "\n" + kSummaryLegend + "\n";
    for (const TableColumn& column : table.table->columns)
        text += fmt::format("{}{}\n\n{}", heading, column.label, section(table, column, draw));
    return text + machines(table) + fmt::format("Paper: {}\n", table.table->source);
}

}  // namespace

std::string to_text(const PieceTable& table) {
    return fmt::format("{}\n\n{}", table.table->title, whole(table, text_of, ""));
}

std::string to_markdown(const PieceTable& table) {
    return fmt::format("# {}\n\n{}", table.table->title, whole(table, markdown_of, "## "));
}

}  // namespace whorl
