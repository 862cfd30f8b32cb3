// The pieces of a table, from one folder or many, as one table.
#pragma once

#include <string>
#include <vector>

#include "experiments/reproduce/piece_summary.hpp"

namespace whorl {

struct FoundPiece {
    std::string path;  // of the record
    PieceRecord record;
    PieceSummary summary;
};

/// The records of `table` in the folders and all folders inside, and in the files, that `paths` name. Throws UserError
/// for a path that holds none, and where two records of one piece differ: it names both.
std::vector<FoundPiece> find_pieces(const PublishedTable& table, const std::vector<std::string>& paths);

/// What there is of a table.
struct PieceTable {
    const PublishedTable* table = nullptr;
    std::vector<FoundPiece> pieces;

    /// Rising; those of the table when there are no pieces.
    std::vector<std::int64_t> widths() const;
    /// nullptr when it is missing.
    const FoundPiece* at(const TableColumn& column, const TableRow& row, std::int64_t width) const;
};

/// A summary (best of sweep, and how many replicas pass), then a section for each column. A missing piece is –.
std::string to_text(const PieceTable& table);
std::string to_markdown(const PieceTable& table);
std::string to_json(const PieceTable& table);

}  // namespace whorl
