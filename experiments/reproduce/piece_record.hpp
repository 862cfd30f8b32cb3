// What a piece of a table leaves behind: every replica's accuracies and all that a reader needs to judge them, as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/training/replica.hpp"
#include "core/training/run_config.hpp"
#include "experiments/reproduce/piece.hpp"
#include "experiments/run/manifest.hpp"

namespace whorl {

struct PieceReplica {
    double learning_rate = 0;
    std::int64_t seed = 0;
    std::int64_t steps = 0;   // it took: fewer than the recipe's when it was stopped
    std::int64_t tokens = 0;  // positions it was trained on, padding included
    StopReason stopped = StopReason::none;
    std::vector<double> validation, test;                // accuracy at each size, unscaled
    std::vector<std::optional<double>> validation_loss;  // absent: not a finite number
};

/// Who computed a piece. Several when it was taken up again elsewhere.
struct PieceOrigin {
    std::string device, processor, version, commit, compiler;
    std::vector<std::string> earlier;  // Origin::text of the others
};

struct PieceRecord {
    std::string table, column, row;
    std::int64_t width = 64;
    std::int64_t test_size = 0;  // where the table is read
    double chance = 0;           // accuracy of guessing
    double majority = 0;         // accuracy of always giving the most frequent answer there
    bool more_seeds = false;     // the second stage is done
    double seconds = 0;          // training and evaluation of both stages, all processes together
    std::vector<std::int64_t> validation_sizes, test_sizes;
    std::vector<PieceReplica> replicas;
    PieceOrigin origin;
    Value recipe;  // the first stage's, resolved

    std::int64_t tokens() const;  // of all replicas
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
