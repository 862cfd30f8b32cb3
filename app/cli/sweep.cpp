// whorl sweep: every combination of a sweep's axes as a run, one after the other, and the table of their results.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "app/cli/progress.hpp"
#include "app/cli/tables.hpp"
#include "app/run/interrupt.hpp"
#include "app/sweep/table.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/descriptor.hpp"
#include "core/io/toml_file.hpp"

namespace whorl::cli {
namespace {

namespace fs = std::filesystem;

Syntax syntax() {
    Syntax syntax(
        "sweep", "SWEEP.toml [--out DIR] [--set key=value]… [options]",
        "Trains every combination of a sweep's axes, one run after the other, and prints a table with a row for each.\n"
        "The file names a recipe and, under [axes], keys of it with lists of values:\n\n"
        "  recipe = \"parity-quick\"      a recipe's file or built-in name\n"
        "  size = 64                    where the table is read (default: the largest test size)\n"
        "  threshold = 0.9              scaled accuracy with which a replica passes\n"
        "  [set]                        changes for every run\n"
        "  steps = 300\n"
        "  [axes]\n"
        "  model.preset = [\"mamba3\", \"mamba2\"]\n"
        "  batch = [32, 64]\n\n"
        "Runs that --out already holds are not trained again: the same command goes on where it stopped, also with "
        "more "
        "values.\nThe table is written there as table.md, table.json and table.csv; whorl report DIR prints it again.",
        {"whorl sweep ablation.toml", "whorl sweep ablation.toml --out runs/ablation --set steps=50",
         "whorl sweep ablation.toml --dry-run", "whorl report runs/ablation --format csv"});
    syntax.positionals = {{"SWEEP"}};
    add_set_option(syntax.options);
    add_training_devices(syntax.options);
    add_group_options(syntax.options);
    syntax.options.add_options()("out", po::value<std::string>(), "the sweep's folder (default runs/NAME)")(
        "launcher", po::value<std::string>()->default_value("local"), "local: in this process")(
        "allow-other-build", po::bool_switch(),
        "go on with runs of another build or machine, though their bits may differ")("dry-run", po::bool_switch(),
                                                                                     "only list the runs");
    return syntax;
}

void check_launcher(const std::string& launcher) {
    if (launcher != "local")
        throw UserError("--launcher: unknown launcher " + in_quotes(launcher) + suggestion(launcher, {"local"}));
}

int list_runs(const std::vector<SweepRun>& runs, const std::string& folder) {
    std::int64_t replicas = 0;
    for (const SweepRun& run : runs) {
        fmt::print("{}/{}  {} replicas, {} steps\n", folder, run.folder, run.setup.config.replicas.count(),
                   run.setup.config.training.steps);
        replicas += run.setup.config.replicas.count();
    }
    fmt::print("{} runs, {} replicas\n", runs.size(), replicas);
    return 0;
}

std::vector<std::string> files_of_sweep(const std::string& folder) {
    return {folder, sweep_record_path(folder), folder + "/table.md", folder + "/table.json", folder + "/table.csv"};
}

// The folder, held for this process, with the record of what it is about to hold. One that holds something else, or
// that another sweep is being trained in, is left alone.
Descriptor prepare_folder(const std::string& folder, const SweepRecord& record) {
    std::error_code error;
    if (RunDirectory::exists(folder)) throw UserError(one_line(folder + ": holds a run; choose another --out"));
    make_folders(folder);
    Descriptor held = hold_folder(folder, "this sweep");
    remove_unfinished(sweep_record_path(folder));
    if (!is_sweep(folder) && fs::exists(folder, error) && !fs::is_empty(folder, error))
        throw UserError(one_line(folder + ": is not an empty folder, and holds no sweep; choose another --out"));
    write_file(sweep_record_path(folder), to_toml(record));
    return held;
}

// False when interrupted.
bool train(const SweepRun& run, const std::string& label, const std::string& folder, const Devices& devices,
           const SessionOptions& options) {
    ProgressLine line(label);
    const SessionResult result =
        train_run(run.setup, open_or_create(folder + "/" + run.folder, run.setup), devices, hooks_for(line), options);
    line.finish();
    return !result.interrupted;
}

}  // namespace

int run_sweep(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    check_launcher(parsed->text("launcher"));
    const Sweep sweep = read_sweep(load_toml(parsed->first("SWEEP")));
    const std::string folder = parsed->has("out") ? parsed->text("out") : "runs/" + sweep.name;
    refuse_own_inputs(folder, files_of_sweep(folder), {parsed->first("SWEEP"), recipe_path(sweep)});
    const std::vector<SweepRun> runs = runs_of(sweep, parsed->all("set"));  // all errors before any training
    if (parsed->flag("dry-run")) return list_runs(runs, folder);
    const OwnedDevices devices = make_devices(*parsed);
    const SessionOptions options{group_request(*parsed), parsed->flag("allow-other-build")};
    for (const SweepRun& run : runs) check_devices(run.setup, devices.all(), options.group);
    const Descriptor held = prepare_folder(folder, record_of(sweep, runs));
    const InterruptGuard guard;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::string label = fmt::format("[{}/{}] {}", i + 1, runs.size(), runs[i].folder);
        if (train(runs[i], label, folder, devices.all(), options)) continue;
        write_tables(read_sweep_table(folder), folder);
        fmt::print(stderr, "stopped; go on with the same command and --out {}\n", folder);
        return 128 + InterruptGuard::signal();
    }
    show_table(read_sweep_table(folder), folder);
    return 0;
}

}  // namespace whorl::cli
