// whorl report: the config and results of runs and sweeps.
#include <fmt/format.h>

#include "app/cli/notes.hpp"
#include "app/cli/options.hpp"
#include "app/cli/tables.hpp"
#include "app/run/manifest.hpp"
#include "app/run/session.hpp"
#include "app/sweep/table.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/training/statistics.hpp"

namespace whorl::cli {
namespace {

struct Report {
    std::string path;
    RunSetup setup;
    RunStatus status;
    std::optional<Evaluation> validation, test;
    std::vector<std::string> notes;  // damaged checkpoints newer than the newest intact one, and what cannot be checked
};

Report read_report(const std::string& path) {
    const RunDirectory run = RunDirectory::open(path);
    std::vector<std::string> notes;
    RunSetup setup = load_setup(run, &notes);
    Report report{path, std::move(setup), load_status(run), {}, {}, std::move(notes)};
    report.validation = last_evaluation(run, report.setup, Split::validation);
    report.test = last_evaluation(run, report.setup, Split::test);
    if (report.status.status == kNotBegun) report.status.alive = report.setup.config.replicas.count();
    run.newest_valid_checkpoint(&report.notes);
    return report;
}

void print_markdown_evaluation(const Evaluation& evaluation, const RunSetup& setup, std::size_t chosen) {
    const double chance = setup.data->chance();
    fmt::print(
        "\n## Accuracy, {} split, step {}\n\n| size | best | median | best, scaled | median, scaled "
        "|\n|---|---|---|---|---|\n",
        split_name(evaluation.split), evaluation.step);
    for (std::size_t i = 0; i < evaluation.sizes.size(); ++i) {
        const std::vector<double>& accuracy = evaluation.accuracy[i];
        const double best = accuracy[chosen], middle = median(accuracy);
        fmt::print("| {} | {:.4f} | {:.4f} | {:.3f} | {:.3f} |\n", evaluation.sizes[i], best, middle,
                   scaled_accuracy(best, chance), scaled_accuracy(middle, chance));
    }
}

void print_markdown(const Report& report) {
    const RunSetup& setup = report.setup;
    fmt::print("# {}\n\n{}, step {} of {}, {} of {} replicas alive, {} stopped early as solved, {:.0f} s\n",
               setup.config.name, report.status.status, report.status.step, setup.config.training.steps,
               report.status.alive, setup.config.replicas.count(), report.status.solved, report.status.seconds);
    if (report.validation) {
        const std::size_t best = best_replica(*report.validation);
        fmt::print("\nBest by validation: {}\n", replica_text(replicas_of(setup.config.replicas)[best], best));
        print_markdown_evaluation(*report.validation, setup, best);
        if (report.test) print_markdown_evaluation(*report.test, setup, best);  // after a validation at the latest
    }
    fmt::print("\n## Config\n\n```toml\n{}```\n", setup.toml());
}

void print_json(const Report& report) {
    fmt::print("{}\n", write_json({Table{{"run", {report.path}},
                                         {"status", {report.status.status}},
                                         {"step", {report.status.step}},
                                         {"alive", {report.status.alive}},
                                         {"solved", {report.status.solved}},
                                         {"seconds", {report.status.seconds}},
                                         {"validation", report.validation ? to_table(*report.validation) : Value{}},
                                         {"test", report.test ? to_table(*report.test) : Value{}},
                                         {"notes", notes_value(report.notes)},
                                         {"config", to_value(report.setup.config)}}}));
}

void print_csv_evaluation(const Report& report, const Evaluation& evaluation) {
    const double chance = report.setup.data->chance();
    const std::vector<ReplicaHyper> replicas = replicas_of(report.setup.config.replicas);
    for (std::size_t i = 0; i < evaluation.sizes.size(); ++i)
        for (std::size_t r = 0; r < replicas.size(); ++r) {
            const double accuracy = evaluation.accuracy[i][r];
            fmt::print("{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_field(report.path), r, replicas[r].learning_rate,
                       replicas[r].weight_decay, replicas[r].dt.min, replicas[r].dt.max, replicas[r].init_seed,
                       split_name(evaluation.split), evaluation.step, evaluation.sizes[i], accuracy,
                       scaled_accuracy(accuracy, chance));
        }
}

// One line for each replica, split and size.
void print_csv(const Report& report, bool first) {
    if (first)
        fmt::print("run,replica,learning_rate,weight_decay,dt_min,dt_max,seed,split,step,size,accuracy,scaled\n");
    for (const auto& evaluation : {report.validation, report.test})
        if (evaluation) print_csv_evaluation(report, *evaluation);
}

void print_run(const std::string& path, const std::string& format, bool first) {
    const Report report = read_report(path);
    print_notes(report.notes);
    if (format == "md") print_markdown(report);
    if (format == "json") print_json(report);
    if (format == "csv") print_csv(report, first);
}

void print_sweep(const std::string& path, const std::string& format) {
    const ResultTable table = read_sweep_table(path);
    const std::string text = format == "md" ? to_markdown(table) : format == "json" ? to_json(table) : to_csv(table);
    fmt::print("{}", text);
}

}  // namespace

int run_report(const Arguments& arguments) {
    Syntax syntax(
        "report", "RUN|SWEEP… [--format md|json|csv]",
        "What runs did: status, accuracies, config; and a sweep's table. With json one object a line for each "
        "run; with\ncsv one line for each replica and size of a run, or for each run and size of a sweep.",
        {"whorl report runs/parity", "whorl report runs/* --format json",
         "whorl report runs/ablation --format csv > ablation.csv"});
    syntax.positionals = {{"RUN", 1, -1}};
    syntax.options.add_options()("format", po::value<std::string>()->default_value("md"), "md, json or csv");
    const auto parsed = parse(syntax, arguments);
    if (!parsed) return 0;
    const std::string format = parsed->text("format");
    if (format != "md" && format != "json" && format != "csv")
        throw UserError("--format: unknown format " + in_quotes(format) + suggestion(format, {"md", "json", "csv"}));
    bool first = true;
    for (const std::string& path : parsed->all("RUN")) {
        is_sweep(path) ? print_sweep(path, format) : print_run(path, format, first);
        first = false;
    }
    return 0;
}

}  // namespace whorl::cli
