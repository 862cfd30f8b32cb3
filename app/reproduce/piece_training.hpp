// A piece of a table from its first step to its record; interrupted and taken up again at will.
#pragma once

#include "app/reproduce/piece_record.hpp"
#include "app/run/session.hpp"

namespace whorl {

struct PieceOptions {
    SessionOptions session;
    bool more_seeds = true;         // the second stage, too
    bool keep_checkpoints = false;  // of finished stages; else best/ has what remains
};

/// Both stages have setups before anything is trained: errors come first.
struct PieceJob {
    Piece piece;
    RunSetup rates;
    PieceFiles files;
    std::vector<StoredRule> rules{};  // that will judge it
};
PieceJob make_job(const Piece& piece, const std::vector<std::string>& assignments, const std::string& out);

/// The record so far; empty when there is none. Throws UserError when it is of another recipe.
std::optional<PieceRecord> stored_record(const PieceJob& job);

/// True when nothing is left to do.
bool is_done(const std::optional<PieceRecord>& record, bool more_seeds);

/// Does what is left of a piece. `stage` is told the label of each stage that trains, and gives its hooks. Empty when a
/// hook stopped it: the same call goes on.
std::optional<PieceRecord> train_piece(const PieceJob& job, const Devices& devices, const PieceOptions& options,
                                       const std::function<SessionHooks(const std::string& label)>& stage);

/// "done", "rates done", "rates: step 300 of 1000", "not begun"
std::string piece_status(const PieceJob& job);

}  // namespace whorl
