// whorl reproduce: trains every row of a published table and prints ours beside the paper's.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/io/atomic_file.hpp"
#include "experiments/cli/options.hpp"
#include "experiments/cli/progress.hpp"
#include "experiments/reproduce/table.hpp"
#include "experiments/run/interrupt.hpp"

namespace whorl::cli {
namespace {

RunSetup row_setup(const TableRow& row, const TableProfile& profile, const Parsed& parsed) {
    std::vector<std::string> assignments = parsed.all("set");
    assignments.push_back(std::string("model.preset=") + row.preset);
    assignments.push_back(std::string("name=") + row.key);
    return set_up(load_recipe(profile.recipe, assignments));
}

RunDirectory open_or_create(const std::string& path, const RunSetup& setup) {
    if (!RunDirectory::exists(path)) return RunDirectory::create(path, setup.toml());
    const RunDirectory run = RunDirectory::open(path);
    if (set_up(load_toml(run.config_path())).toml() != setup.toml())
        throw UserError(path + ": holds a run of another recipe; choose another --out");
    return run;
}

// Empty when interrupted.
std::optional<RowResult> reproduce_row(const TableRow& row, const TableProfile& profile, const RunSetup& setup,
                                       const std::string& folder, Backend& backend) {
    const RunDirectory run = open_or_create(folder + "/" + row.key, setup);
    ProgressLine line(row.label);
    const SessionResult result = train_run(setup, run, backend, hooks_for(line));
    line.finish();
    if (result.interrupted) return std::nullopt;
    RowResult summary = summarize(row, setup, result, *last_evaluation(run, Split::validation), profile.test_size);
    line.note(fmt::format("{}: best {:.1f} %, passed {}/{}, {}", row.label, 100 * summary.best, summary.passed_all,
                          summary.replicas, duration_text(result.seconds)));
    return summary;
}

}  // namespace

int run_reproduce(const Arguments& arguments) {
    Syntax syntax("reproduce", "TABLE [--quick|--full] [--out DIR] [--set key=value]…",
                  "Trains the rows of a published table and prints our numbers beside the paper's. Rows that --out "
                  "already holds are\n"
                  "not trained again, so that an interrupted table goes on where it stopped. Tables: parity.",
                  {"whorl reproduce parity --quick", "whorl reproduce parity --full --out runs/parity-full"});
    syntax.positionals = {{"TABLE"}};
    add_set_option(syntax.options);
    add_device_options(syntax.options);
    syntax.options.add_options()("quick", po::bool_switch(),
                                 "short sequences, minutes on two processor cores (the default)")(
        "full", po::bool_switch(), "the paper's lengths and steps: hours on a processor")(
        "out", po::value<std::string>(),
        "folder of the rows' runs and of table.md, table.json (default runs/reproduce-TABLE-quick or -full)");
    const auto parsed = parse(syntax, arguments);
    if (!parsed) return 0;
    const PublishedTable& table = published_table(parsed->first("TABLE"));
    if (parsed->flag("quick") && parsed->flag("full")) throw UserError("--quick and --full exclude each other");
    const bool full = parsed->flag("full");
    const TableProfile& profile = full ? table.full : table.quick;
    const std::string folder = parsed->has("out")
                                   ? parsed->text("out")
                                   : fmt::format("runs/reproduce-{}-{}", table.name, full ? "full" : "quick");
    const auto backend = make_backend(*parsed);

    TableResult result{&table, &profile, {}, 0, backend->describe(), {}};
    std::vector<RunSetup> setups;
    for (const TableRow& row : table.rows)
        setups.push_back(row_setup(row, profile, *parsed));  // all errors before any training
    result.config = setups.front().config;
    result.chance = setups.front().data->chance();
    const InterruptGuard guard;
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        const auto row = reproduce_row(table.rows[i], profile, setups[i], folder, *backend);
        if (!row) {
            fmt::print(stderr, "stopped; go on with the same command and --out {}\n", folder);
            return 128 + InterruptGuard::signal();
        }
        result.rows.push_back(*row);
    }
    write_file(folder + "/table.md", to_markdown(result));
    write_file(folder + "/table.json", to_json(result));
    fmt::print("{}\nWritten to {}/table.md and table.json\n", to_text(result), folder);
    return 0;
}

}  // namespace whorl::cli
