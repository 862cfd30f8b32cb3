// whorl report: a run's config and results in one page.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/io/text.hpp"
#include "core/training/statistics.hpp"
#include "experiments/cli/options.hpp"
#include "experiments/cli/tables.hpp"
#include "experiments/run/manifest.hpp"
#include "experiments/run/session.hpp"

namespace whorl::cli {
namespace {

struct Report {
    std::string path;
    RunSetup setup;
    RunStatus status;
    std::optional<Evaluation> validation, test;
};

Report read_report(const std::string& path) {
    const RunDirectory run = RunDirectory::open(path);
    return {path, set_up(load_toml(run.config_path())), load_status(run), last_evaluation(run, Split::validation),
            last_evaluation(run, Split::test)};
}

void print_markdown_evaluation(const Evaluation& evaluation, const RunSetup& setup) {
    const double chance = setup.data->chance();
    fmt::print(
        "\n## Accuracy, {} split, step {}\n\n| size | best | median | best, scaled | median, scaled "
        "|\n|---|---|---|---|---|\n",
        split_name(evaluation.split), evaluation.step);
    for (std::size_t i = 0; i < evaluation.sizes.size(); ++i) {
        const std::vector<double>& accuracy = evaluation.accuracy[i];
        const double best = *std::max_element(accuracy.begin(), accuracy.end()), middle = median(accuracy);
        fmt::print("| {} | {:.4f} | {:.4f} | {:.3f} | {:.3f} |\n", evaluation.sizes[i], best, middle,
                   scaled_accuracy(best, chance), scaled_accuracy(middle, chance));
    }
}

void print_markdown(const Report& report) {
    const RunSetup& setup = report.setup;
    fmt::print("# {}\n\n{}, step {} of {}, {} of {} replicas alive, {:.0f} s\n", setup.config.name,
               report.status.status, report.status.step, setup.config.training.steps, report.status.alive,
               setup.config.replicas.count(), report.status.seconds);
    if (report.validation) {
        const std::size_t best = best_replica(*report.validation);
        fmt::print("\nBest by validation: {}\n", replica_text(replicas_of(setup.config.replicas)[best], best));
        print_markdown_evaluation(*report.validation, setup);
    }
    if (report.test) print_markdown_evaluation(*report.test, setup);
    fmt::print("\n## Config\n\n```toml\n{}```\n", setup.toml());
}

void print_json(const Report& report) {
    fmt::print("{}\n", write_json({Table{{"run", {report.path}},
                                         {"status", {report.status.status}},
                                         {"step", {report.status.step}},
                                         {"alive", {report.status.alive}},
                                         {"seconds", {report.status.seconds}},
                                         {"validation", report.validation ? to_table(*report.validation) : Value{}},
                                         {"test", report.test ? to_table(*report.test) : Value{}},
                                         {"config", to_value(report.setup.config)}}}));
}

}  // namespace

int run_report(const Arguments& arguments) {
    Syntax syntax("report", "RUN… [--format md|json]",
                  "What runs did: status, accuracies, config. With json one object a line.",
                  {"whorl report runs/parity", "whorl report runs/* --format json"});
    syntax.positionals = {{"RUN", 1, -1}};
    syntax.options.add_options()("format", po::value<std::string>()->default_value("md"), "md or json");
    const auto parsed = parse(syntax, arguments);
    if (!parsed) return 0;
    const std::string format = parsed->text("format");
    if (format != "md" && format != "json")
        throw UserError("--format: unknown format " + in_quotes(format) + suggestion(format, {"md", "json"}));
    for (const std::string& path : parsed->all("RUN"))
        format == "md" ? print_markdown(read_report(path)) : print_json(read_report(path));
    return 0;
}

}  // namespace whorl::cli
