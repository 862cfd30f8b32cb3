// A piece of a table: one row, one column, one width of the model, trained in two stages. The first chooses on
// validation data, the second trains what was chosen with further seeds: how many settings and seeds, the table's
// protocol says (table.hpp).
//
//     OUT/runs/PIECE/{rates,seeds}       the two stages as runs: config, metrics, manifest, checkpoints until the end
//     OUT/cells/PIECE.json               what came out, self-contained: written after each stage, last
//     OUT/best/PIECE.safetensors         the replica that is best on validation data
//
// PIECE is COLUMN-ROW-dWIDTH, as in parity-mamba3-d64.
#pragma once

#include <string>
#include <vector>

#include "app/reproduce/table.hpp"
#include "app/run/setup.hpp"

namespace whorl {

struct Piece {
    const PublishedTable* table = nullptr;
    const TableColumn* column = nullptr;
    const TableRow* row = nullptr;
    std::int64_t width = 64;  // d_model
    Profile profile = Profile::full;

    std::string name() const;   // parity-mamba3-d64
    std::string label() const;  // "parity, Mamba-3, d_model 64"
    const TableProfile& measured() const { return column->at(profile); }
};

/// The recipe of the first stage: the column's with the row's model, and `assignments` (--set) on top, its MLP matched
/// where the table asks for it. Throws UserError, also for what the table's protocol does not sweep: under `sweep` more
/// than one weight decay or range of Δ, under `verdict` more than one weight decay.
RunSetup rates_setup(const Piece& piece, const std::vector<std::string>& assignments);

/// The second stage: `first` with these settings alone and the next `seeds` seeds. Several settings differ in their
/// rates alone.
RunSetup seeds_setup(const RunSetup& first, const std::vector<ReplicaSetting>& settings, std::int64_t seeds);

/// Where a piece keeps its files under --out.
struct PieceFiles {
    std::string record, best, rates, seeds;

    PieceFiles(const std::string& out, const Piece& piece);
};

}  // namespace whorl
