// load_scaling: what stored pieces and benchmarks say about state and length.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "app/bench/compare.hpp"
#include "app/cli/result_dots.hpp"
#include "app/reproduce/piece_table.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "core/model/registry.hpp"
#include "viz/data/exhibit.hpp"
#include "viz/data/state_bytes.hpp"

namespace whorl::cli {
namespace {

using viz::ScalingData;
using viz::StateCurve;
using viz::TimeCurve;

// --- accuracy against state ------------------------------------------------------------------------------------------

/// The pieces of one row, the smallest state first.
StateCurve curve_of(const TableRow& row, const std::vector<const FoundPiece*>& pieces) {
    StateCurve curve;
    curve.name = row.label;
    std::map<std::int64_t, const FoundPiece*> by_bytes;
    for (const FoundPiece* piece : pieces) {
        const RunConfig recipe = recipe_of(piece->record, piece->path);
        curve.role = viz::role_of(*recipe.model.config);
        by_bytes[viz::state_bytes(*recipe.model.config, piece->record.test_size)] = piece;
    }
    for (const auto& [bytes, piece] : by_bytes) {
        const Summary summary = summarize(piece->record, piece->record.test_size);
        curve.bytes.push_back(static_cast<double>(bytes));
        curve.chosen.push_back(summary.read().best);
        curve.replicas.emplace_back();
        for (const ReplicaResult& replica : piece->record.replicas)
            curve.replicas.back().push_back(scaled_accuracy(replica.test[summary.read_at], piece->record.chance));
    }
    return curve;
}

/// The first of the table's that has pieces; there is one (find_pieces).
const TableColumn& first_column(const PublishedTable& table, const std::vector<FoundPiece>& pieces) {
    for (const TableColumn& column : table.columns)
        for (const FoundPiece& piece : pieces)
            if (piece.record.column == column.key) return column;
    return table.columns.front();
}

void add_states(ScalingData& data, const std::vector<std::string>& paths, const std::string& wanted) {
    const PublishedTable& table = published_table("state-tracking");
    const std::vector<FoundPiece> pieces = find_pieces(table, paths);
    const TableColumn& column = wanted.empty() ? first_column(table, pieces) : column_of(table, wanted, "scaling");
    data.task = fmt::format("{}, size {}", column.label, column.at(pieces.front().record.profile).test_size);
    data.chosen_is = "best replica by validation";
    for (const TableRow& row : table.rows) {
        std::vector<const FoundPiece*> own;
        for (const FoundPiece& piece : pieces)
            if (piece.record.column == column.key && piece.record.row == row.key) own.push_back(&piece);
        if (!own.empty()) data.states.push_back(curve_of(row, own));
    }
}

// --- time against length ---------------------------------------------------------------------------------------------

/// All sizes but the length.
std::string others_of(const BenchRow& row) {
    Table others;
    for (const Member& size : std::get<Table>(row.sizes.data))
        if (size.key != "length") others.push_back(size);
    return write_json({others});
}

std::int64_t size_of_row(const BenchRow& row, const char* key) {
    const Value* value = find(row.sizes, key);
    const auto* number = value ? std::get_if<std::int64_t>(&value->data) : nullptr;
    return number ? *number : 0;
}

struct NamedWork {
    std::string name;
    plot::Role role;
};

/// "mamba3 forward" is of the preset mamba3: "Mamba-3 forward".
NamedWork named(const std::string& row) {
    const std::size_t end = std::min(row.find(' '), row.size());
    const ModelConfig config = model_preset(row.substr(0, end)).make(PresetSize{});
    return {viz::title_of(config) + row.substr(end), viz::role_of(config)};
}

struct Measured {
    std::string name, others, device, bench;
    std::map<std::int64_t, double> ms;  // by length
};

std::vector<Measured> measured_in(const std::vector<std::string>& files) {
    std::vector<Measured> all;
    for (const std::string& file : files) {
        const BenchReport report = load_report(file);
        for (const BenchRow& row : report.rows) {
            const std::int64_t length = size_of_row(row, "length");
            if (length == 0) continue;
            const Measured key{row.name, others_of(row), report.device, report.bench, {}};
            auto found = std::find_if(all.begin(), all.end(), [&](const Measured& one) {
                return one.name == key.name && one.others == key.others && one.device == key.device &&
                       one.bench == key.bench;
            });
            if (found == all.end()) found = all.insert(all.end(), key);
            found->ms[length] = row.ms;
        }
    }
    return all;
}

void add_times(ScalingData& data, const std::vector<std::string>& files) {
    for (const Measured& one : measured_in(files)) {
        if (one.ms.size() < 2) continue;
        if (data.work.empty()) data.work = one.bench + ", " + one.device;
        const NamedWork work = named(one.name);
        TimeCurve curve{work.name, work.role, {}, {}};
        for (const auto& [length, ms] : one.ms)
            curve.lengths.push_back(static_cast<double>(length)), curve.ms.push_back(ms);
        data.times.push_back(std::move(curve));
    }
    if (data.times.empty() && !files.empty())
        throw UserError(one_line(files.front() + ": scaling: no two timings differ in their length alone; make some "
                                                 "with 'whorl bench train --scale length'"));
}

}  // namespace

bool is_bench(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return false;
    return find(parse_json(read_text_file(path, 1 << 26), path).root, "bench") != nullptr;
}

ScalingData load_scaling(const std::vector<std::string>& pieces, const std::string& column,
                         const std::vector<std::string>& timings) {
    ScalingData data;
    if (!pieces.empty()) add_states(data, pieces, column);
    if (!timings.empty()) add_times(data, timings);
    return data;
}

}  // namespace whorl::cli
