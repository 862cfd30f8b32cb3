#include "app/reproduce/piece.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace whorl {
namespace {

void check(const Piece& piece, const RunConfig& config) {
    const ReplicaGrid& grid = config.replicas;
    if (grid.weight_decays.size() != 1 || grid.dt_ranges.size() != 1)
        throw UserError(piece.name() +
                        ": replicas: a piece sweeps the learning rate alone; give one weight_decay and "
                        "one dt_range");
    const std::vector<std::int64_t>& sizes = config.test.sizes;
    const std::int64_t read_at = piece.column->full.test_size;
    if (std::find(sizes.begin(), sizes.end(), read_at) == sizes.end())
        throw UserError(piece.name() + ": test.sizes lack " + std::to_string(read_at) + ", where the table is read");
}

}  // namespace

std::string Piece::name() const {
    return std::string(column->key) + "-" + row->key + "-d" + std::to_string(width);
}

std::string Piece::label() const {
    return std::string(column->label) + ", " + row->label + ", d_model " + std::to_string(width);
}

RunSetup rates_setup(const Piece& piece, const std::vector<std::string>& assignments) {
    std::vector<std::string> all;
    if (piece.row->set) all.emplace_back(piece.row->set);
    for (const std::string& one : assignments) {
        if (one.rfind("model.d_model", 0) == 0)
            throw UserError("--set model.d_model: the width of a table's piece is chosen with --width");
        all.push_back(one);
    }
    all.push_back("model.preset=" + preset_of(*piece.row, piece.column->full));
    all.push_back("model.d_model=" + std::to_string(piece.width));
    all.push_back("name=" + piece.name());
    RunSetup setup = set_up(load_recipe(piece.column->full.recipe, all));
    check(piece, setup.config);
    return setup;
}

RunSetup seeds_setup(const RunSetup& first, const std::vector<double>& rates) {
    RunConfig config = first.config;
    config.replicas.learning_rates = rates;
    config.replicas.first_seed += config.replicas.seeds;
    config.replicas.seeds = kMoreSeeds;
    return set_up({to_value(config), first.config.name + ", more seeds"});
}

PieceFiles::PieceFiles(const std::string& out, const Piece& piece)
    : record(out + "/cells/" + piece.name() + ".json"),
      best(out + "/best/" + piece.name() + ".safetensors"),
      rates(out + "/runs/" + piece.name() + "/rates"),
      seeds(out + "/runs/" + piece.name() + "/seeds") {}

}  // namespace whorl
