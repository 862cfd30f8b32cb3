#include "app/reproduce/piece.hpp"

#include <algorithm>

#include "app/reproduce/parameter_match.hpp"
#include "core/base/error.hpp"

namespace whorl {
namespace {

// Assignments to model.config change the model that the preset made: they come once that is there.
constexpr const char* kToModel = "model.config";

bool begins_with(const std::string& text, const char* what) {
    return text.rfind(what, 0) == 0;
}

void check(const Piece& piece, const RunConfig& config) {
    const ReplicaGrid& grid = config.replicas;
    if (piece.table->protocol == TableProtocol::sweep && (grid.weight_decays.size() != 1 || grid.dt_ranges.size() != 1))
        throw UserError(piece.name() +
                        ": replicas: a piece sweeps the learning rate alone; give one weight_decay and "
                        "one dt_range");
    if (grid.weight_decays.size() != 1)
        throw UserError(piece.name() +
                        ": replicas: a piece sweeps learning rates and dt ranges; give one weight_decay");
    const std::vector<std::int64_t>& sizes = config.test.sizes;
    const std::int64_t read_at = piece.measured().test_size;
    if (std::find(sizes.begin(), sizes.end(), read_at) == sizes.end())
        throw UserError(piece.name() + ": test.sizes lack " + std::to_string(read_at) + ", where the table is read");
}

std::vector<std::string> assignments_of(const Piece& piece, const std::vector<std::string>& more) {
    std::vector<std::string> all = piece.column->set;
    for (const auto* part : {&piece.measured().set, &piece.row->set, &piece.row->set_at(piece.profile)})
        all.insert(all.end(), part->begin(), part->end());
    all.insert(all.end(), more.begin(), more.end());
    for (const std::string& one : more)
        if (begins_with(one, "model.d_model"))
            throw UserError("--set model.d_model: the width of a table's piece is chosen with --width");
    return all;
}

// With the recipe's own MLP.
RunSetup unmatched_setup(const Piece& piece, const std::vector<std::string>& more) {
    std::vector<std::string> to_recipe, to_model;
    for (const std::string& one : assignments_of(piece, more))
        (begins_with(one, kToModel) ? to_model : to_recipe).push_back(one);
    to_recipe.push_back("model.preset=" + preset_of(*piece.row, piece.measured()));
    to_recipe.push_back("model.d_model=" + std::to_string(piece.width));
    to_recipe.push_back("name=" + piece.name());
    RunSetup setup = set_up(load_recipe(piece.measured().recipe, to_recipe));
    if (to_model.empty()) return setup;
    Document document{to_value(setup.config), piece.name()};
    for (const std::string& one : to_model) apply_override(document, one);
    return set_up(document);
}

RunSetup with_mlp(const RunSetup& setup, std::int64_t width, const std::string& name) {
    RunConfig config = setup.config;
    config.model.config->d_intermediate = width;
    return set_up({to_value(config), name});
}

}  // namespace

std::string Piece::name() const {
    return column->key + "-" + row->key + "-d" + std::to_string(width);
}

std::string Piece::label() const {
    return column->label + ", " + row->label + ", d_model " + std::to_string(width);
}

RunSetup rates_setup(const Piece& piece, const std::vector<std::string>& assignments) {
    RunSetup setup = unmatched_setup(piece, assignments);
    check(piece, setup.config);
    const auto& match = piece.table->match;
    if (!match || match->row == piece.row->key) return setup;
    Piece other = piece;
    other.row = &row_of(*piece.table, match->row, piece.table->name);
    const std::int64_t wanted = parameter_count(unmatched_setup(other, assignments).model);
    return with_mlp(setup, matched_mlp(setup.model, wanted, match->within, piece.name()), piece.name());
}

RunSetup seeds_setup(const RunSetup& first, const std::vector<ReplicaSetting>& settings, std::int64_t seeds) {
    RunConfig config = first.config;
    config.replicas.learning_rates.clear();
    for (const ReplicaSetting& setting : settings) config.replicas.learning_rates.push_back(setting.learning_rate);
    if (config.replicas.dt_ranges.size() > 1) config.replicas.dt_ranges = {settings.front().dt};
    config.replicas.first_seed += config.replicas.seeds;
    config.replicas.seeds = seeds;
    return set_up({to_value(config), first.config.name + ", more seeds"});
}

PieceFiles::PieceFiles(const std::string& out, const Piece& piece)
    : record(out + "/cells/" + piece.name() + ".json"),
      best(out + "/best/" + piece.name() + ".safetensors"),
      rates(out + "/runs/" + piece.name() + "/rates"),
      seeds(out + "/runs/" + piece.name() + "/seeds") {}

}  // namespace whorl
