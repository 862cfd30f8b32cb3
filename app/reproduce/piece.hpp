// A piece of a table by the paper's protocol: one row, one column, one width of the model. Every learning rate is
// trained with one seed; then the two rates that are best on validation data with two more.
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

inline constexpr std::size_t kBestRates = 2;
inline constexpr std::int64_t kMoreSeeds = 2;  // at each of them

struct Piece {
    const PublishedTable* table = nullptr;
    const TableColumn* column = nullptr;
    const TableRow* row = nullptr;
    std::int64_t width = 64;  // d_model

    std::string name() const;   // parity-mamba3-d64
    std::string label() const;  // "parity, Mamba-3, d_model 64"
};

/// The recipe of the first stage: the column's full one with the row's model, and `assignments` (--set) on top. Throws
/// UserError, also for more than one weight decay or range of Δ: a piece sweeps the learning rate alone.
RunSetup rates_setup(const Piece& piece, const std::vector<std::string>& assignments);

/// The second stage: `first` with these rates alone and the next seeds.
RunSetup seeds_setup(const RunSetup& first, const std::vector<double>& rates);

/// Where a piece keeps its files under --out.
struct PieceFiles {
    std::string record, best, rates, seeds;

    PieceFiles(const std::string& out, const Piece& piece);
};

}  // namespace whorl
