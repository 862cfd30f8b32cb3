// The pieces of a table, from one folder or many, as one table.
#pragma once

#include <string>
#include <vector>

#include "app/reproduce/piece_record.hpp"

namespace whorl {

struct FoundPiece {
    std::string path;  // of the record
    PieceRecord record;
};

/// The records of `table` in the folders and all folders inside, and in the files, that `paths` name. Throws UserError
/// for a path that holds none, and where two records of one piece differ: it names both.
std::vector<FoundPiece> find_pieces(const PublishedTable& table, const std::vector<std::string>& paths);

/// The same, none where there are none. A path that does not exist throws all the same.
std::vector<FoundPiece> pieces_below(const PublishedTable& table, const std::vector<std::string>& paths);

/// All files in the folders and all folders inside whose names end in .json, and the files, that `path` names, sorted.
std::vector<std::string> json_files(const std::string& path);

/// What a table shows of a piece: in one of verdicts the fresh seeds alone, once they are there, as those of the first
/// stage chose the setting; else all replicas.
PopulationResult shown_population(const PublishedTable& table, const PieceRecord& record);

/// One table of them, at the widths that they have (without any: those of the table). A missing piece is –.
ResultTable table_of(const PublishedTable& table, const std::vector<FoundPiece>& pieces);

}  // namespace whorl
