// whorl reproduce --medium, --full, --status, --dry-run and --from: a table made of pieces (app/reproduce/piece.hpp).
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "app/claims/rule_book.hpp"
#include "app/cli/outputs.hpp"
#include "app/cli/progress.hpp"
#include "app/cli/reproduce_request.hpp"
#include "app/cli/tables.hpp"
#include "app/reproduce/cost.hpp"
#include "app/reproduce/measurement.hpp"
#include "app/reproduce/piece_table.hpp"
#include "app/reproduce/piece_training.hpp"
#include "app/run/interrupt.hpp"
#include "app/tables/grid.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "core/training/statistics.hpp"

namespace whorl::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// --minutes, counted from here.
class Deadline {
public:
    explicit Deadline(const Parsed& parsed) {
        if (!parsed.has("minutes")) return;
        minutes_ = parsed.real("minutes");
        constexpr double kMost = 1e6;
        if (!(minutes_ > 0 && minutes_ <= kMost))
            throw UserError("--minutes: expected a number of minutes above 0, such as 8");
    }
    bool passed() const {
        return minutes_ > 0 && std::chrono::duration<double>(Clock::now() - begin_).count() >= 60 * minutes_;
    }

private:
    Clock::time_point begin_ = Clock::now();
    double minutes_ = 0;  // 0: none
};

std::vector<PieceJob> jobs_of(const ReproduceRequest& request) {
    std::vector<PieceJob> jobs;
    for (const TableColumn* column : request.columns)
        for (const TableRow* row : request.rows) {
            if (!column->has(row->key, request.profile)) continue;
            for (const std::int64_t width : request.widths)
                jobs.push_back(make_job({&request.table, column, row, width, request.profile}, request.assignments,
                                        request.folder));
        }
    for (PieceJob& job : jobs) job.rules = rules_of_table(request.table.name);
    return jobs;
}

std::string result_text(const PieceJob& job, const PieceRecord& record) {
    if (record.metric == Metric::bits) return job.piece.label() + ": " + duration_text(record.seconds);
    const Summary s = summarize(record, record.test_size);
    return fmt::format("{}: best {:.1f} %, {} of {} replicas pass, {}", job.piece.label(), 100 * s.read().best,
                       s.read().passed_all, s.replicas, duration_text(record.seconds));
}

// False when it was stopped.
bool train(const PieceJob& job, const Devices& devices, const PieceOptions& options, const Deadline& deadline) {
    std::optional<ProgressLine> line;
    const auto stage = [&](const std::string& label) {
        line.emplace(label);
        SessionHooks hooks = hooks_for(*line);
        hooks.stop = [&deadline] { return InterruptGuard::signal() != 0 || deadline.passed(); };
        return hooks;
    };
    const auto record = train_piece(job, devices, options, stage);
    if (line) line->finish();
    if (record && line) line->note(result_text(job, *record));
    return record.has_value();
}

std::vector<FoundPiece> pieces_in(const ReproduceRequest& request) {
    const std::string folder = request.folder + "/cells";
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) return {};
    return find_pieces(request.table, {folder});
}

// Tables of earlier calls may lie among the pieces; a piece must not be taken for one.
void refuse_own_pieces(const std::vector<FoundPiece>& pieces, const std::string& folder) {
    std::vector<std::string> read;
    for (const FoundPiece& piece : pieces) read.push_back(piece.path);
    refuse_own_inputs(folder, {folder, folder + "/table.md", folder + "/table.json", folder + "/table.csv"}, read);
}

std::size_t count_done(const std::vector<PieceJob>& jobs, bool more_seeds) {
    std::size_t done = 0;
    for (const PieceJob& job : jobs) done += is_done(stored_record(job), more_seeds) ? 1 : 0;
    return done;
}

bool is_stored(const ReproduceRequest& request, const TableMeasurement& measurement) {
    return std::all_of(measurement.rows.begin(), measurement.rows.end(), [&](const std::string& row) {
        std::error_code error;
        return std::filesystem::exists(measurement_path(request.folder, measurement.key, row), error);
    });
}

void take_measurements(const ReproduceRequest& request, Backend& backend) {
    const std::vector<StoredRule> rules = rules_of_table(request.table.name);
    for (const TableMeasurement& measurement : request.table.measurements) {
        if (is_stored(request, measurement)) continue;
        for (const MeasurementRecord& record : measure(request.table, measurement, rules, backend)) {
            make_folders(request.folder + "/cells");
            write_file(measurement_path(request.folder, measurement.key, record.row), to_json(record));
            fmt::print("{}, {}: {:.4g} {}\n", measurement.key, record.row, median(record.values), record.unit);
        }
    }
}

// The pieces so far are a table, too.
int report(const ReproduceRequest& request, const std::vector<PieceJob>& jobs, bool more_seeds) {
    const std::vector<FoundPiece> pieces = pieces_in(request);
    if (!pieces.empty()) show_table(table_of(request.table, pieces), request.folder);
    const std::size_t done = count_done(jobs, more_seeds);
    if (done == jobs.size()) return 0;
    fmt::print(stderr,
               "stopped with {} of {} pieces done; the same command goes on; whorl reproduce … --status --out {}\n",
               done, jobs.size(), request.folder);
    return InterruptGuard::signal() != 0 ? 128 + InterruptGuard::signal() : 0;
}

}  // namespace

int reproduce_pieces(const ReproduceRequest& request, const Parsed& parsed) {
    const Deadline deadline(parsed);
    const bool more_seeds = !parsed.flag("medium");
    const PieceOptions options{
        {group_request(parsed), parsed.flag("allow-other-build")}, more_seeds, parsed.flag("keep-checkpoints")};
    const std::vector<PieceJob> jobs = jobs_of(request);  // all errors before any training
    for (const PieceJob& job : jobs) stored_record(job);
    const OwnedDevices devices = make_devices(parsed);
    const InterruptGuard guard;
    take_measurements(request, devices.all().first());
    bool first = true;  // the first unfinished one advances by a step at least, however short --minutes are
    for (const PieceJob& job : jobs) {
        if (is_done(stored_record(job), more_seeds)) continue;
        if (!first && deadline.passed()) break;
        if (!train(job, devices.all(), options, deadline)) break;
        first = false;
    }
    return report(request, jobs, more_seeds);
}

int show_pieces(const ReproduceRequest& request, const Parsed& parsed) {
    const std::vector<PieceJob> jobs = jobs_of(request);
    for (const PieceJob& job : jobs) fmt::print("{:<40} {}\n", job.piece.name(), piece_status(job));
    std::size_t measured = 0;
    const std::vector<TableMeasurement>& measurements = request.table.measurements;
    for (const TableMeasurement& measurement : measurements) {
        const bool stored = is_stored(request, measurement);
        measured += stored ? 1 : 0;
        fmt::print("{:<40} {}\n", measurement.key, stored ? "measured" : "not measured");
    }
    const bool more_seeds = !parsed.flag("medium");
    const std::size_t done = count_done(jobs, more_seeds);
    fmt::print("{} of {} pieces done", done, jobs.size());
    if (!measurements.empty()) fmt::print(", {} of {} measurements", measured, measurements.size());
    fmt::print("\n");
    return done == jobs.size() && measured == measurements.size() ? 0 : 1;
}

int show_costs(const ReproduceRequest& request, const Parsed& parsed) {
    const bool more_seeds = !parsed.flag("medium");
    const std::vector<PieceJob> jobs = jobs_of(request);
    const OwnedDevices devices = make_devices(parsed);
    const GroupRequest group = group_request(parsed);
    Grid grid{{{"piece", "replicas", "Mtokens each", "parameters", "MLP", "bytes carried", "Mtokens", "Gops", "s"}}};
    double tokens = 0, operations = 0, seconds = 0;
    for (const PieceJob& job : jobs) {
        check_devices(job.rates, devices.all(), group);
        const PieceCost cost = cost_of(job, more_seeds);
        const double took = measured_seconds(job, more_seeds, devices.all(), group);
        const PieceRecord record = empty_record(job.piece, job.rates, {});
        grid.lines.push_back({job.piece.name(), fmt::format("{}", cost.replicas),
                              fmt::format("{:.2f}", static_cast<double>(cost.tokens_per_replica) / 1e6),
                              fmt::format("{}", record.parameters), fmt::format("{}", record.mlp),
                              fmt::format("{}", record.state_bytes), fmt::format("{:.0f}", cost.tokens() / 1e6),
                              fmt::format("{:.0f}", cost.operations / 1e9), fmt::format("{:.0f}", took)});
        tokens += cost.tokens(), operations += cost.operations, seconds += took;
    }
    fmt::print("{}\n{} pieces: {:.0f} million tokens, {:.0f} billion operations, about {} on {}{}\n", text_of(grid),
               jobs.size(), tokens / 1e6, operations / 1e9, duration_text(seconds), devices.all().first().describe(),
               request.table.measurements.empty() ? "" : "; measurements, seconds each, are not counted");
    return 0;
}

int merge_pieces(const PublishedTable& table, const Parsed& parsed) {
    const std::vector<FoundPiece> pieces = find_pieces(table, parsed.all("from"));
    if (parsed.has("out")) refuse_own_pieces(pieces, parsed.text("out"));
    const ResultTable merged = table_of(table, pieces);
    if (!parsed.has("out")) {
        fmt::print("{}", to_text(merged));
        return 0;
    }
    const std::string folder = parsed.text("out");
    make_folders(folder);
    show_table(merged, folder);
    return 0;
}

}  // namespace whorl::cli
