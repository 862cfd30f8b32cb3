// whorl reproduce: trains every row of a published table and prints ours beside the paper's.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/text.hpp"
#include "experiments/cli/options.hpp"
#include "experiments/cli/progress.hpp"
#include "experiments/reproduce/table.hpp"
#include "experiments/run/interrupt.hpp"
#include "tasks/baseline.hpp"

namespace whorl::cli {
namespace {

constexpr std::int64_t kBaselineExamples = 16384;

/// What --quick, --full, --row, --column and --set leave of a table.
struct Request {
    const PublishedTable& table;
    bool full = false;
    std::vector<const TableColumn*> columns;
    std::vector<const TableRow*> rows;
    std::vector<std::string> assignments;
};

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

RunSetup cell_setup(const Request& request, const TableColumn& column, const TableRow& row) {
    std::vector<std::string> assignments;
    if (row.set) assignments.emplace_back(row.set);
    assignments.insert(assignments.end(), request.assignments.begin(), request.assignments.end());
    assignments.push_back(std::string("model.preset=") + row.preset);
    assignments.push_back(std::string("name=") + row.key);
    return set_up(load_recipe(column.profile(request.full).recipe, assignments));
}

// Empty when interrupted.
std::optional<RowResult> reproduce_cell(const TableRow& row, const TableColumn& column, const TableProfile& profile,
                                        const RunSetup& setup, const std::string& folder, Backend& backend) {
    const RunDirectory run = open_or_create(folder, setup);
    const std::string label = fmt::format("{}, {}", column.label, row.label);
    ProgressLine line(label);
    const SessionResult result = train_run(setup, run, backend, hooks_for(line));
    line.finish();
    if (result.interrupted) return std::nullopt;
    RowResult summary = summarize(row, setup, result, *last_evaluation(run, Split::validation), profile.test_size);
    line.note(fmt::format("{}: median {:.1f} %, best {:.1f} %, passed {}/{}, {}", label, 100 * summary.median,
                          100 * summary.best, summary.passed_all, summary.replicas, duration_text(result.seconds)));
    return summary;
}

// False when interrupted: the rows so far are in `result`.
bool reproduce_column(const Request& request, const TableColumn& column, const std::vector<RunSetup>& setups,
                      const std::string& folder, Backend& backend, ColumnResult& result) {
    const TableProfile& profile = column.profile(request.full);
    const DataSource& data = *setups.front().data;
    result = {&column, &profile, setups.front().config, data.chance(), 0, {}};
    result.majority = scaled_accuracy(majority_baseline(data, profile.test_size, kBaselineExamples), data.chance());
    for (std::size_t i = 0; i < request.rows.size(); ++i) {
        const TableRow& row = *request.rows[i];
        const std::string path = fmt::format("{}/{}/{}", folder, column.key, row.key);
        const auto cell = reproduce_cell(row, column, profile, setups[i], path, backend);
        if (!cell) return false;
        result.rows.push_back(*cell);
    }
    return true;
}

Request read_request(const Parsed& parsed) {
    Request request{published_table(parsed.first("TABLE")), parsed.flag("full"), {}, {}, parsed.all("set")};
    if (parsed.flag("quick") && request.full) throw UserError("--quick and --full exclude each other");
    request.columns = chosen(request.table.columns, parsed.all("column"), "--column");
    request.rows = chosen(request.table.rows, parsed.all("row"), "--row");
    return request;
}

Syntax reproduce_syntax() {
    Syntax syntax(
        "reproduce", "TABLE [--quick|--full] [--row NAME]… [--column NAME]… [--out DIR] [--set key=value]…",
        "Trains the rows of a published table and prints our numbers beside the paper's. What --out already "
        "holds is not\n"
        "trained again, so that an interrupted table goes on where it stopped. Tables: parity; state-tracking "
        "(parity, and\n"
        "modular arithmetic without and with brackets).",
        {"whorl reproduce parity --quick", "whorl reproduce state-tracking --quick --row mamba3 --row mamba2",
         "whorl reproduce state-tracking --full --column parity --out runs/parity-full"});
    syntax.positionals = {{"TABLE"}};
    add_set_option(syntax.options);
    add_device_options(syntax.options);
    syntax.options.add_options()("quick", po::bool_switch(),
                                 "short sequences, minutes on two processor cores (the default)")(
        "full", po::bool_switch(), "the paper's lengths and steps: days on a processor")(
        "row", po::value<std::vector<std::string>>(), "only this row, repeatable: mamba3, mamba2, gdn, …")(
        "column", po::value<std::vector<std::string>>(), "only this column, repeatable: parity, arithmetic, brackets")(
        "out", po::value<std::string>(),
        "folder of the runs, COLUMN/ROW, and of table.md, table.json (default runs/reproduce-TABLE-quick or -full)");
    return syntax;
}

}  // namespace

int run_reproduce(const Arguments& arguments) {
    const auto parsed = parse(reproduce_syntax(), arguments);
    if (!parsed) return 0;
    const Request request = read_request(*parsed);
    const std::string folder =
        parsed->has("out") ? parsed->text("out")
                           : fmt::format("runs/reproduce-{}-{}", request.table.name, request.full ? "full" : "quick");
    const auto backend = make_backend(*parsed);

    std::vector<std::vector<RunSetup>> setups;  // all errors before any training
    for (const TableColumn* column : request.columns) {
        setups.emplace_back();
        for (const TableRow* row : request.rows) {
            setups.back().push_back(cell_setup(request, *column, *row));
            backend->set_precision(setups.back().back().config.precision);
        }
    }
    TableResult result{&request.table, backend->describe(), {}};
    const InterruptGuard guard;
    for (std::size_t c = 0; c < request.columns.size(); ++c) {
        result.columns.emplace_back();
        if (!reproduce_column(request, *request.columns[c], setups[c], folder, *backend, result.columns.back())) {
            fmt::print(stderr, "stopped; go on with the same command and --out {}\n", folder);
            return 128 + InterruptGuard::signal();
        }
    }
    write_file(folder + "/table.md", to_markdown(result));
    write_file(folder + "/table.json", to_json(result));
    fmt::print("{}\nWritten to {}/table.md and table.json\n", to_text(result), folder);
    return 0;
}

}  // namespace whorl::cli
