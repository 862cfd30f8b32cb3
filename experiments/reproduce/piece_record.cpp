#include "experiments/reproduce/piece_record.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/text.hpp"
#include "core/training/checkpoint.hpp"
#include "experiments/run/session.hpp"
#include "tasks/baseline.hpp"

namespace whorl {

// Found through argument-dependent lookup.
template <class V>
void describe(V& v, PieceReplica& c) {
    v.field("learning_rate", c.learning_rate, above(0).required());
    v.field("seed", c.seed, at_least(0).required());
    v.field("steps", c.steps, at_least(0).required());
    v.field("tokens", c.tokens, at_least(0));
    v.field("stopped", c.stopped);
    v.field("validation", c.validation, range(0, 1).required());
    v.field("validation_loss", c.validation_loss, required());
    v.field("test", c.test, range(0, 1).required());
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

namespace {

constexpr const char* kKind = "table piece";
constexpr std::int64_t kFormat = 1;
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
    for (const PieceReplica& one : r.replicas)
        v.require(one.validation.size() == r.validation_sizes.size() &&
                      one.validation_loss.size() == r.validation_sizes.size() && one.test.size() == r.test_sizes.size(),
                  "replicas", "a replica needs one number for each size");
}

// Positions that a replica has computed after so many steps, as the metrics say: they have a row wherever one stops.
std::map<std::int64_t, std::int64_t> tokens_by_step(const RunDirectory& run) {
    std::map<std::int64_t, std::int64_t> tokens;
    run.visit_metrics([&](const Document& row) {
        const Value *step = find(row.root, "step"), *count = find(row.root, "tokens");
        if (step && count)
            tokens[binding::read_integer(*step, {&row.source, "step"}, at_least(0), 0, INT64_MAX)] =
                binding::read_integer(*count, {&row.source, "tokens"}, at_least(0), 0, INT64_MAX);
        return true;
    });
    return tokens;
}

std::int64_t tokens_at(const std::map<std::int64_t, std::int64_t>& by_step, std::int64_t step) {
    const auto found = by_step.lower_bound(step);
    return found != by_step.end() ? found->second : by_step.empty() ? 0 : by_step.rbegin()->second;
}

std::vector<double> column(const std::vector<std::vector<double>>& values, std::size_t replica) {
    std::vector<double> result;
    for (const auto& at_size : values) result.push_back(at_size[replica]);
    return result;
}

std::vector<std::optional<double>> finite(const std::vector<double>& values) {
    std::vector<std::optional<double>> result;
    for (const double value : values) result.push_back(std::isfinite(value) ? std::optional(value) : std::nullopt);
    return result;
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

std::int64_t PieceRecord::tokens() const {
    std::int64_t sum = 0;
    for (const PieceReplica& replica : replicas) sum += replica.tokens;
    return sum;
}

PieceRecord empty_record(const Piece& piece, const RunSetup& setup) {
    PieceRecord record;
    record.table = piece.table->name, record.column = piece.column->key, record.row = piece.row->key;
    record.width = piece.width;
    record.test_size = piece.column->full.test_size;
    record.chance = setup.data->chance();
    record.majority = majority_baseline(*setup.data, record.test_size, kBaselineExamples);
    record.validation_sizes = setup.config.validation.on.sizes;
    record.test_sizes = setup.config.test.sizes;
    record.recipe = to_value(setup.config);
    return record;
}

void add_run(PieceRecord& record, const RunDirectory& run, const RunSetup& setup) {
    const auto result = finished_result(run, setup);
    const auto validation = last_evaluation(run, setup, Split::validation);
    if (!result || !validation) throw UserError(one_line(run.path() + ": is not finished"));
    if (validation->sizes != record.validation_sizes || result->test.sizes != record.test_sizes)
        throw UserError(one_line(run.path() + ": was evaluated at other sizes than the rest of its piece"));
    const Standing standing = stored_standing(*run.newest_valid_checkpoint(), setup.config.replicas.count());
    const auto by_step = tokens_by_step(run);
    const std::vector<ReplicaHyper> replicas = replicas_of(setup.config.replicas);
    for (std::size_t r = 0; r < replicas.size(); ++r) {
        const std::int64_t steps = standing.stopped_at[r] < 0 ? result->step : standing.stopped_at[r];
        record.replicas.push_back({replicas[r].learning_rate, static_cast<std::int64_t>(replicas[r].init_seed), steps,
                                   tokens_at(by_step, steps), standing.reason[r], column(validation->accuracy, r),
                                   column(result->test.accuracy, r), finite(column(validation->loss, r))});
    }
    record.seconds += result->seconds;
    add_origin(record.origin, run, load_status(run));
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
