#include "app/reproduce/piece_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "app/reproduce/parameter_match.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "tasks/baseline.hpp"
#include "viz/data/state_bytes.hpp"

namespace whorl {

// Found through argument-dependent lookup.
template <class V>
void describe(V& v, DtRange& c) {
    v.field("min", c.min, at_least(0));
    v.field("max", c.max, at_least(0));
}

template <class V>
void describe(V& v, ReplicaResult& c) {
    v.field("learning_rate", c.setting.learning_rate, above(0).required());
    v.field("seed", c.seed, at_least(0).required());
    v.field("steps", c.steps, at_least(0).required());
    v.field("tokens", c.tokens, at_least(0));
    v.field("stopped", c.stopped);
    v.field("dt_range", c.setting.dt);
    v.field("validation", c.validation, range(0, 1).required());
    v.field("validation_loss", c.validation_loss, required());
    v.field("test", c.test, range(0, 1).required());
    v.field("found", c.found, range(0, 1));
    v.field("test_loss", c.test_loss);
}

namespace {

constexpr const char* kKind = "table piece";
constexpr std::int64_t kFormat = 2;  // 1: before verdicts: no step size ranges, shares found, losses, sizes, rules
constexpr std::int64_t kBaselineExamples = 16384;
constexpr std::uint64_t kMostBytes = 1 << 22;

/// The file: the record under a head, with what people look for (summary) beside what programs recompute.
struct StoredPiece {
    std::string kind = kKind;
    std::int64_t format = kFormat;
    std::int64_t tokens = 0;
    PieceRecord record;
};

template <class V>
void describe(V& v, StoredPiece& c) {
    PieceRecord& r = c.record;
    v.field("kind", c.kind);
    v.field("format", c.format);
    v.field("table", r.table, required());
    v.field("column", r.column, required());
    v.field("row", r.row, required());
    v.field("width", r.width, above(0).required());
    v.field("test_size", r.test_size, above(0).required());
    v.field("profile", r.profile);
    v.field("metric", r.metric);
    v.field("ideal_bits", r.ideal_bits);
    v.field("parameters", r.parameters, at_least(0));
    v.field("mlp", r.mlp, at_least(0));
    v.field("state_bytes", r.state_bytes, at_least(0));
    v.field("rules", r.rules);
    v.field("chance", r.chance, range(0, 1).required());
    v.field("majority", r.majority, range(0, 1));
    v.field("more_seeds", r.more_seeds, required());
    v.field("seconds", r.seconds, at_least(0));
    v.field("tokens", c.tokens);
    v.field("origin", r.origin);
    v.field("validation_sizes", r.validation_sizes, required());
    v.field("test_sizes", r.test_sizes, required());
    v.field("replicas", r.replicas, required());
    v.field("recipe", r.recipe, required());
    v.require(!r.replicas.empty(), "replicas", "a piece of no replicas says nothing");
    v.require(!r.validation_sizes.empty(), "validation_sizes", "lists no size");
    v.require(std::find(r.test_sizes.begin(), r.test_sizes.end(), r.test_size) != r.test_sizes.end(), "test_sizes",
              "lack test_size, where the table is read");
    for (const ReplicaResult& one : r.replicas)
        v.require(one.validation.size() == r.validation_sizes.size() &&
                      one.validation_loss.size() == r.validation_sizes.size() && one.test.size() == r.test_sizes.size(),
                  "replicas", "a replica needs one number for each size");
    v.require(r.ideal_bits.empty() || r.ideal_bits.size() == r.test_sizes.size(), "ideal_bits",
              "must be one number for each test size");
    for (const ReplicaResult& one : r.replicas)
        v.require((one.found.empty() || one.found.size() == r.test_sizes.size()) &&
                      (one.test_loss.empty() || one.test_loss.size() == r.test_sizes.size()),
                  "replicas", "a replica needs one number for each test size");
    std::set<std::tuple<double, double, double, std::int64_t>> seen;
    for (const ReplicaResult& one : r.replicas)
        v.require(seen.emplace(one.setting.learning_rate, one.setting.dt.min, one.setting.dt.max, one.seed).second,
                  "replicas",
                  fmt::format("learning rate {} with seed {} is there twice: one replica counts once",
                              one.setting.learning_rate, one.seed));
}

void add_origin(PieceOrigin& origin, const RunDirectory& run, const RunStatus& status) {
    const Origin here = *stored_origin(run);
    const Origin before{{origin.version, origin.commit, origin.compiler}, origin.processor, origin.device};
    std::vector<std::string> others = status.earlier;
    if (!origin.commit.empty()) others.push_back(before.text());
    for (const std::string& other : others)
        if (other != here.text() &&
            std::find(origin.earlier.begin(), origin.earlier.end(), other) == origin.earlier.end())
            origin.earlier.push_back(other);
    origin = {here.device, here.processor, here.build.version, here.build.commit, here.build.compiler, origin.earlier};
}

}  // namespace

PieceRecord empty_record(const Piece& piece, const RunSetup& setup, std::vector<StoredRule> rules) {
    PieceRecord record;
    record.profile = piece.profile, record.metric = piece.column->metric, record.rules = std::move(rules);
    record.parameters = parameter_count(setup.model), record.mlp = setup.model.d_intermediate;
    record.table = piece.table->name, record.column = piece.column->key, record.row = piece.row->key;
    record.width = piece.width;
    record.test_size = piece.measured().test_size;
    record.state_bytes = viz::state_bytes(setup.model, record.test_size);
    record.chance = setup.data->chance();
    record.majority = majority_baseline(*setup.data, record.test_size, kBaselineExamples);
    record.validation_sizes = setup.config.validation.on.sizes;
    record.test_sizes = setup.config.test.sizes;
    record.recipe = to_value(setup.config);
    return record;
}

void add_run(PieceRecord& record, const RunDirectory& run, const RunSetup& setup) {
    auto population = read_population_result(run, setup);
    if (!population) throw UserError(one_line(run.path() + ": is not finished"));
    if (population->validation_sizes != record.validation_sizes || population->test_sizes != record.test_sizes)
        throw UserError(one_line(run.path() + ": was evaluated at other sizes than the rest of its piece"));
    const bool ranges = recipe_of(record, run.path()).replicas.dt_ranges.size() > 1;
    for (ReplicaResult& replica : population->replicas) {
        // What a piece does not sweep stands in its recipe.
        replica.setting.weight_decay = 0;
        if (!ranges) replica.setting.dt = {};
        record.replicas.push_back(std::move(replica));
    }
    record.ideal_bits = std::move(population->ideal_bits);
    record.seconds += population->seconds;
    add_origin(record.origin, run, load_status(run));
}

std::vector<ReplicaResult> fresh_replicas(const PieceRecord& record) {
    if (!record.more_seeds) return {};
    const ReplicaGrid first = recipe_of(record, record.column + "-" + record.row).replicas;
    std::vector<ReplicaResult> fresh;
    for (const ReplicaResult& replica : record.replicas)
        if (replica.seed >= first.first_seed + first.seeds) fresh.push_back(replica);
    return fresh;
}

std::string to_json(const PieceRecord& record) {
    return to_json(StoredPiece{kKind, kFormat, record.tokens(), record}, 1) + "\n";
}

std::optional<PieceRecord> piece_record(const Document& document) {
    const Value* kind = find(document.root, "kind");
    const auto* word = kind ? std::get_if<std::string>(&kind->data) : nullptr;
    if (word == nullptr || *word != kKind) return std::nullopt;
    const Value* format = find(document.root, "format");
    const auto* number = format ? std::get_if<std::int64_t>(&format->data) : nullptr;
    if (number && *number > kFormat)
        throw UserError(one_line(document.source + ": format " + std::to_string(*number) +
                                 " is of a newer version of this program, which reads up to " +
                                 std::to_string(kFormat)));
    return read_config<StoredPiece>(document).record;
}

PieceRecord load_piece_record(const std::string& path) {
    const auto record = piece_record(parse_json(read_text_file(path, kMostBytes), path));
    if (!record) throw UserError(one_line(path + ": holds no piece of a table"));
    return *record;
}

RunConfig recipe_of(const PieceRecord& record, const std::string& source) {
    return set_up({record.recipe, source + ": recipe"}).config;
}

}  // namespace whorl
