// A table made of pieces for other programs.
#include "experiments/reproduce/piece_table.hpp"

namespace whorl {
namespace {

template <class T>
Value list(const std::vector<T>& values) {
    Array items;
    for (const T& value : values) items.emplace_back(value);
    return {std::move(items)};
}

Value cell_value(const FoundPiece& piece, const std::optional<double>& paper) {
    const PieceRecord& r = piece.record;
    const PieceSummary& s = piece.summary;
    return {Table{{"row", {r.row}},
                  {"width", {r.width}},
                  {"best", {s.best}},
                  {"best_replica", {static_cast<std::int64_t>(s.best_replica)}},
                  {"curve", list(s.curve)},
                  {"test_sizes", list(r.test_sizes)},
                  {"median_all", {s.median}},
                  {"passed_all", {s.passed}},
                  {"replicas", {s.replicas}},
                  {"rate", {s.rate}},
                  {"seeds", {s.seeds}},
                  {"seeds_passed", {s.seeds_passed}},
                  {"seed_min", {s.seed_min}},
                  {"seed_median", {s.seed_median}},
                  {"seed_max", {s.seed_max}},
                  {"seed_curve", list(s.seed_curve)},
                  {"solved_early", {s.solved_early}},
                  {"failed", {s.failed}},
                  {"more_seeds", {r.more_seeds}},
                  {"majority_scaled", {scaled_accuracy(r.majority, r.chance)}},
                  {"chance", {r.chance}},
                  {"tokens", {r.tokens()}},
                  {"seconds", {r.seconds}},
                  {"device", {r.origin.device}},
                  {"commit", {r.origin.commit}},
                  {"paper_percent", paper ? Value{*paper} : Value{}}}};
}

}  // namespace

std::string to_json(const PieceTable& table) {
    const PublishedTable& published = *table.table;
    Array columns;
    for (std::size_t c = 0; c < published.columns.size(); ++c) {
        const TableColumn& column = published.columns[c];
        Array cells, missing;
        for (const TableRow& row : published.rows)
            for (const std::int64_t width : table.widths()) {
                if (const FoundPiece* piece = table.at(column, row, width))
                    cells.push_back(cell_value(*piece, row.paper[c]));
                else
                    missing.emplace_back(Table{{"row", {std::string(row.key)}}, {"width", {width}}});
            }
        columns.emplace_back(Table{{"key", {std::string(column.key)}},
                                   {"test_size", {column.full.test_size}},
                                   {"cells", {std::move(cells)}},
                                   {"missing", {std::move(missing)}}});
    }
    return write_json({Table{{"table", {std::string(published.name)}},
                             {"widths", list(table.widths())},
                             {"columns", {std::move(columns)}}}},
                      1) +
           "\n";
}

}  // namespace whorl
