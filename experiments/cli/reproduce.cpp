// whorl reproduce: trains every row of a published table and prints ours beside the paper's.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/text.hpp"
#include "experiments/cli/progress.hpp"
#include "experiments/cli/reproduce_request.hpp"
#include "experiments/run/interrupt.hpp"
#include "tasks/baseline.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kBaselineExamples = 16384;

/// The items whose keys are listed, all when none is. Throws UserError with the nearest key.
template <class Item>
std::vector<const Item*> chosen(const std::vector<Item>& items, const std::vector<std::string>& keys,
                                const char* flag) {
    std::vector<std::string> known;
    for (const Item& item : items) known.emplace_back(item.key);
    for (const std::string& key : keys)
        if (std::find(known.begin(), known.end(), key) == known.end())
            throw UserError(fmt::format("{}: the table has no {}{}", flag, in_quotes(key), suggestion(key, known)));
    std::vector<const Item*> result;
    for (const Item& item : items)
        if (keys.empty() || std::find(keys.begin(), keys.end(), item.key) != keys.end()) result.push_back(&item);
    return result;
}

RunSetup cell_setup(const ReproduceRequest& request, const TableColumn& column, const TableRow& row) {
    std::vector<std::string> assignments;
    if (row.set) assignments.emplace_back(row.set);
    assignments.insert(assignments.end(), request.assignments.begin(), request.assignments.end());
    assignments.push_back("model.preset=" + preset_of(row, column.quick));
    assignments.push_back(std::string("name=") + row.key);
    return set_up(load_recipe(column.quick.recipe, assignments));
}

// Empty when interrupted.
std::optional<RowResult> reproduce_cell(const TableRow& row, const TableColumn& column, const TableProfile& profile,
                                        const RunSetup& setup, const std::string& folder, const Devices& devices,
                                        const SessionOptions& options) {
    const RunDirectory run = open_or_create(folder, setup);
    const std::string label = fmt::format("{}, {}", column.label, row.label);
    ProgressLine line(label);
    const SessionResult result = train_run(setup, run, devices, hooks_for(line), options);
    line.finish();
    if (result.interrupted) return std::nullopt;
    RowResult summary = summarize(row, setup, result, *last_evaluation(run, Split::validation), profile.test_size);
    // The table comes when its last row is known; until then each row stands for itself.
    fmt::print("{}: median {:.1f} % (min {:.1f}, max {:.1f}), best {:.1f} %, passed {}/{}, {}\n", label,
               100 * summary.median, 100 * summary.min, 100 * summary.max, 100 * summary.best, summary.passed_all,
               summary.replicas, duration_text(result.seconds));
    std::fflush(stdout);
    return summary;
}

// False when interrupted: the rows so far are in `result`.
bool reproduce_column(const ReproduceRequest& request, const TableColumn& column, const std::vector<RunSetup>& setups,
                      const Devices& devices, const SessionOptions& options, ColumnResult& result) {
    const TableProfile& profile = column.quick;
    const DataSource& data = *setups.front().data;
    result = {&column, &profile, setups.front().config, data.chance(), 0, {}};
    result.majority = scaled_accuracy(majority_baseline(data, profile.test_size, kBaselineExamples), data.chance());
    for (std::size_t i = 0; i < request.rows.size(); ++i) {
        const TableRow& row = *request.rows[i];
        const std::string path = fmt::format("{}/{}/{}", request.folder, column.key, row.key);
        const auto cell = reproduce_cell(row, column, profile, setups[i], path, devices, options);
        if (!cell) return false;
        result.rows.push_back(*cell);
    }
    return true;
}

// --medium and --full are made of pieces, --quick of one run a row.
bool has_pieces(const Parsed& parsed) {
    return parsed.flag("full") || parsed.flag("medium");
}

void check_flags(const Parsed& parsed) {
    const int profiles =
        (parsed.flag("quick") ? 1 : 0) + (parsed.flag("medium") ? 1 : 0) + (parsed.flag("full") ? 1 : 0);
    if (profiles > 1) throw UserError("--quick, --medium and --full exclude each other");
    if (has_pieces(parsed)) return;
    for (const char* flag : {"width", "minutes"})
        if (parsed.has(flag))
            throw UserError(fmt::format("--{}: is for the pieces of --full and --medium; --quick has none", flag));
    for (const char* flag : {"status", "keep-checkpoints", "allow-other-build"})
        if (parsed.flag(flag))
            throw UserError(fmt::format("--{}: is for the pieces of --full and --medium; --quick has none", flag));
}

std::vector<std::int64_t> widths_of(const Parsed& parsed, const PublishedTable& table) {
    constexpr std::int64_t kMostWidth = 65536;
    std::vector<std::int64_t> widths;
    for (const std::string& text : parsed.all("width"))
        for (const std::int64_t width : number_list(text, "--width", 1, kMostWidth)) widths.push_back(width);
    if (!widths.empty()) return widths;
    return parsed.flag("medium") ? std::vector<std::int64_t>{table.widths.back()} : table.widths;
}

ReproduceRequest read_request(const Parsed& parsed) {
    check_flags(parsed);
    const PublishedTable& table = published_table(parsed.first("TABLE"));
    const char* profile = has_pieces(parsed) ? "full" : "quick";  // --medium is a part of --full
    return {table,
            chosen(table.columns, parsed.all("column"), "--column"),
            chosen(table.rows, parsed.all("row"), "--row"),
            widths_of(parsed, table),
            parsed.all("set"),
            parsed.has("out") ? parsed.text("out") : fmt::format("runs/reproduce-{}-{}", table.name, profile)};
}

Syntax reproduce_syntax() {
    Syntax syntax(
        "reproduce",
        "TABLE [--quick|--medium|--full] [--row NAME]… [--column NAME]… [--width N] [--minutes M] [--out DIR] [--set "
        "key=value]…",
        "Trains the rows of a published table and prints our numbers beside the paper's. What --out already holds is "
        "not\n"
        "trained again, so that an interrupted table goes on where it stopped. Tables: parity; state-tracking (parity, "
        "and\nmodular arithmetic without and with brackets).\n\n"
        "--full is made of pieces, one for each row, column and width (d_model): every learning rate with one seed, "
        "then "
        "the\nbest two with two more. A finished piece is DIR/cells/PIECE.json, with all that a table needs, and "
        "DIR/best/PIECE.safetensors,\nthe replica that is best on validation data. --medium is the first half of the "
        "pieces of one width. --from makes\none table of the pieces in several folders.\n\n"
        "--status exits with 0 when every piece that is asked for is done, else with 1:\n"
        "  until whorl reproduce state-tracking --full --status; do whorl reproduce state-tracking --full --minutes 8; "
        "done",
        {"whorl reproduce parity --quick", "whorl reproduce state-tracking --quick --row mamba3 --row mamba2",
         "whorl reproduce state-tracking --full --column parity --row mamba3 --width 64 --minutes 8",
         "whorl reproduce state-tracking --from runs/a runs/b --out results"});
    syntax.positionals = {{"TABLE"}};
    add_set_option(syntax.options);
    add_training_devices(syntax.options);
    add_group_options(syntax.options);
    syntax.options.add_options()("quick", po::bool_switch(),
                                 "short sequences, minutes on two processor cores (the default)")(
        "medium", po::bool_switch(), "the full recipes, one width (the largest, or --width) and one seed a rate")(
        "full", po::bool_switch(), "the paper's lengths, two widths, more seeds: days on a processor")(
        "row", po::value<std::vector<std::string>>(), "only this row, repeatable: mamba3, mamba2, gdn, …")(
        "column", po::value<std::vector<std::string>>(), "only this column, repeatable: parity, arithmetic, brackets")(
        "width", po::value<std::vector<std::string>>(), "only pieces of this d_model (default 32,64)")(
        "minutes", po::value<double>(), "save and leave after so many minutes, with exit status 0")(
        "status", po::bool_switch(), "train nothing; say how far each piece is")(
        "from", po::value<std::vector<std::string>>()->multitoken()->composing(),
        "train nothing; the table of the pieces in these folders")("keep-checkpoints", po::bool_switch(),
                                                                   "keep all replicas of finished pieces, too")(
        "allow-other-build", po::bool_switch(),
        "go on with pieces of another build or machine, though their bits may differ")(
        "out", po::value<std::string>(),
        "folder of the runs, and of table.md, table.json (default runs/reproduce-TABLE-quick or -full)");
    return syntax;
}

int reproduce_rows(const ReproduceRequest& request, const Parsed& parsed) {
    const std::string& folder = request.folder;
    const SessionOptions options{group_request(parsed)};
    const OwnedDevices owned = make_devices(parsed);
    const Devices devices = owned.all();
    std::vector<std::vector<RunSetup>> setups;  // all errors before any training
    for (const TableColumn* column : request.columns) {
        setups.emplace_back();
        for (const TableRow* row : request.rows) {
            setups.back().push_back(cell_setup(request, *column, *row));
            check_devices(setups.back().back(), devices, options.group);
        }
    }
    TableResult result{&request.table, devices.describe(), {}};
    const InterruptGuard guard;
    for (std::size_t c = 0; c < request.columns.size(); ++c) {
        result.columns.emplace_back();
        if (!reproduce_column(request, *request.columns[c], setups[c], devices, options, result.columns.back())) {
            fmt::print(stderr, "stopped; go on with the same command and --out {}\n", folder);
            return 128 + InterruptGuard::signal();
        }
    }
    write_file(folder + "/table.md", to_markdown(result));
    write_file(folder + "/table.json", to_json(result));
    fmt::print("{}\nWritten to {}/table.md and table.json\n", to_text(result), folder);
    return 0;
}

}  // namespace

int run_reproduce(const Arguments& arguments) {
    const auto parsed = parse(reproduce_syntax(), arguments);
    if (!parsed) return 0;
    if (parsed->has("from")) return merge_pieces(published_table(parsed->first("TABLE")), *parsed);
    const ReproduceRequest request = read_request(*parsed);
    if (parsed->flag("status")) return show_pieces(request, *parsed);
    return has_pieces(*parsed) ? reproduce_pieces(request, *parsed) : reproduce_rows(request, *parsed);
}

}  // namespace whorl::cli
