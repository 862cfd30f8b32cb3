// What a piece of a table leaves behind: every replica's accuracies and all that a reader needs to judge them, as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/reproduce/piece.hpp"
#include "app/run/manifest.hpp"
#include "app/tables/population_result.hpp"
#include "core/training/run_config.hpp"

namespace whorl {

/// Who computed a piece. Several when it was taken up again elsewhere.
struct PieceOrigin {
    std::string device, processor, version, commit, compiler;
    std::vector<std::string> earlier;  // Origin::text of the others
};

struct PieceRecord : PopulationResult {  // of both stages
    std::string table, column, row;
    std::int64_t width = 64;
    std::int64_t test_size = 0;  // where the table is read
    double majority = 0;         // accuracy of always giving the most frequent answer there
    bool more_seeds = false;     // the second stage is done
    PieceOrigin origin;
    Value recipe;  // the first stage's, resolved
};

/// Of the first stage, with no replica in it yet.
PieceRecord empty_record(const Piece& piece, const RunSetup& setup);

/// Adds the replicas of a finished run. Throws UserError when the run is not finished, or evaluated at other sizes.
void add_run(PieceRecord& record, const RunDirectory& run, const RunSetup& setup);

std::string to_json(const PieceRecord& record);

/// Empty when the file is JSON of another kind. Throws UserError naming the file for a record that is none, and for one
/// of a newer format.
std::optional<PieceRecord> piece_record(const Document& document);

/// Reads the record at `path`. Throws UserError when it is none.
PieceRecord load_piece_record(const std::string& path);

/// The resolved recipe of a record. Throws UserError naming `source`.
RunConfig recipe_of(const PieceRecord& record, const std::string& source);

}  // namespace whorl
