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

/// A rule that was there when the piece was trained (app/claims).
struct StoredRule {
    std::string claim, checksum;
};

struct PieceRecord : PopulationResult {  // of both stages
    std::string table, column, row;
    std::int64_t width = 64;
    std::int64_t test_size = 0;  // where the table is read
    double majority = 0;         // accuracy of always giving the most frequent answer there
    bool more_seeds = false;     // the second stage is done
    Profile profile = Profile::full;
    std::int64_t parameters = 0, mlp = 0;  // of one replica; the width of its MLPs. 0: from earlier versions
    std::int64_t state_bytes = 0;          // what it carries behind test_size tokens, all of it, in float32
    std::vector<StoredRule> rules;         // of claims that read the table, as they were before the piece was trained
    PieceOrigin origin;
    Value recipe;  // the first stage's, resolved
};

/// Of the first stage, with no replica in it yet. `rules`: those that will judge it.
PieceRecord empty_record(const Piece& piece, const RunSetup& setup, std::vector<StoredRule> rules);

/// Adds the replicas of a finished run. Throws UserError when the run is not finished, or evaluated at other sizes.
void add_run(PieceRecord& record, const RunDirectory& run, const RunSetup& setup);

/// The replicas of the second stage alone: their seeds chose nothing. None before that stage is done.
std::vector<ReplicaResult> fresh_replicas(const PieceRecord& record);

std::string to_json(const PieceRecord& record);

/// Empty when the file is JSON of another kind. Throws UserError naming the file for a record that is none, and for one
/// of a newer format.
std::optional<PieceRecord> piece_record(const Document& document);

/// Reads the record at `path`. Throws UserError when it is none.
PieceRecord load_piece_record(const std::string& path);

/// The resolved recipe of a record. Throws UserError naming `source`.
RunConfig recipe_of(const PieceRecord& record, const std::string& source);

template <class V>
void describe(V& v, StoredRule& c) {
    v.field("claim", c.claim, required());
    v.field("checksum", c.checksum, required());
}

template <class V>
void describe(V& v, PieceOrigin& c) {
    v.field("device", c.device);
    v.field("processor", c.processor);
    v.field("version", c.version);
    v.field("commit", c.commit);
    v.field("compiler", c.compiler);
    v.field("earlier", c.earlier);
}

}  // namespace whorl
