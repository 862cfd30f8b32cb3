// whorl eval: how well a run's models do at lengths of one's choice.
#include <fmt/format.h>

#include <filesystem>

#include "core/base/error.hpp"
#include "core/io/text.hpp"
#include "core/training/checkpoint.hpp"
#include "experiments/cli/options.hpp"
#include "experiments/cli/scores.hpp"
#include "experiments/cli/tables.hpp"

namespace whorl::cli {
namespace {

namespace fs = std::filesystem;

// A run's newest checkpoint, or a checkpoint inside a run (checkpoints/step-N).
struct Located {
    RunDirectory run;
    CheckpointFiles files;
};

Located locate(const std::string& path) {
    if (RunDirectory::exists(path)) {
        const RunDirectory run = RunDirectory::open(path);
        const auto newest = run.newest_valid_checkpoint();
        if (!newest) throw UserError(one_line(path + ": this run has no checkpoint yet"));
        return {run, *newest};
    }
    std::error_code error;
    if (!fs::is_directory(path, error))
        throw UserError(one_line(path + ": there is no such folder; expected a run or a checkpoint (…/step-N)"));
    const CheckpointFiles files = open_checkpoint(path);
    const fs::path run = fs::path(files.folder).parent_path().parent_path();
    return {RunDirectory::open(run.empty() ? "." : run.string()), files};
}

// Replicas to evaluate, by --replica best|K|all.
std::vector<std::size_t> chosen_replicas(const std::string& choice, const CheckpointFiles& files, std::int64_t count) {
    if (choice == "best") {
        const Evaluation validation = stored_validation(files);
        if (validation.accuracy.empty())
            throw UserError("--replica best: this checkpoint holds no validation to choose by; name a replica, or all");
        return {best_replica(validation)};
    }
    std::vector<std::size_t> replicas;
    if (choice == "all")
        for (std::int64_t r = 0; r < count; ++r) replicas.push_back(static_cast<std::size_t>(r));
    else
        replicas.push_back(
            static_cast<std::size_t>(number_list(choice, "--replica (best, all or a number)", 0, count - 1).front()));
    return replicas;
}

// The chosen replicas alone: evaluating one of a thousand costs a thousandth.
TrainedModels load_models(const RunSetup& setup, const CheckpointFiles& files, const std::vector<std::size_t>& replicas,
                          Backend& backend) {
    const ParameterLayout layout(setup.model);
    const auto slice = static_cast<std::size_t>(layout.slice());
    const TrainerSnapshot whole = load_checkpoint(files, layout, setup.config.replicas.count());
    std::vector<float> parameters;
    for (const std::size_t r : replicas) {
        const auto first = whole.values.parameters.begin() + static_cast<std::ptrdiff_t>(r * slice);
        parameters.insert(parameters.end(), first, first + static_cast<std::ptrdiff_t>(slice));
    }
    return {setup.model, parameters, backend};
}

void override_sizes(const Parsed& parsed, const Task& task, EvaluationConfig& on) {
    if (parsed.has("lengths")) on.sizes = number_list(parsed.text("lengths"), "--lengths", 1, kLargestTaskSize);
    for (const std::int64_t size : on.sizes) check_size(task, size, "--lengths");
    if (parsed.has("count"))
        on.count = number_list(std::to_string(parsed.number("count")), "--count", 1, 1 << 24).front();
}

double threshold_from(const Parsed& parsed) {
    const double threshold = parsed.real("threshold");
    if (!(threshold > 0 && threshold <= 1))
        throw UserError(fmt::format("--threshold: {:g} is no accuracy; expected a number in (0, 1]", threshold));
    return threshold;
}

const Needle& needle_of(const RunSetup& setup) {
    const auto* needle = std::get_if<Needle>(&setup.task);
    if (needle == nullptr)
        throw UserError("--grid: this run's task is " + name_of_task(setup.task) +
                        ", which hides nothing at a depth; the grid is of runs on needle");
    return *needle;
}

// Before anything is computed.
void check_grid(const Parsed& parsed, const RunSetup& setup) {
    if (!parsed.flag("grid")) {
        if (parsed.has("depths")) throw UserError("--depths: names the rows of a grid; add --grid");
        return;
    }
    needle_of(setup);
    for (const char* other : {"per-position", "threshold"})
        if (parsed.has(other)) throw UserError(fmt::format("--grid and --{} exclude each other", other));
}

void add_columns(Value& value, const std::vector<std::size_t>& replicas, double chance) {
    Array numbers;
    for (const std::size_t r : replicas) numbers.emplace_back(static_cast<std::int64_t>(r));
    auto& table = std::get<Table>(value.data);
    table.push_back({"replicas", {std::move(numbers)}});
    table.push_back({"chance", {chance}});
}

void print_json(const Evaluation& evaluation, const std::vector<std::size_t>& replicas, double chance,
                double threshold) {
    Value value = to_table(evaluation);
    add_columns(value, replicas, chance);
    Array lengths;
    for (const std::int64_t length : effective_lengths(evaluation, threshold)) lengths.emplace_back(length);
    auto& table = std::get<Table>(value.data);
    table.push_back({"threshold", {threshold}});
    table.push_back({"effective_length", {std::move(lengths)}});
    fmt::print("{}\n", write_json(value));
}

// Needles at every depth, in haystacks up to 16 times as long as those of training.
void run_grid(const Parsed& parsed, const RunSetup& setup, const CheckpointFiles& files, TrainedModels& models,
              const std::vector<std::size_t>& replicas, Split split, EvaluationConfig on) {
    const std::int64_t trained = setup.config.training.curriculum.largest();
    if (!parsed.has("lengths")) on.sizes = grid_sizes(trained);
    NeedleGrid grid =
        evaluate_grid(models, needle_of(setup), split, on, number_list(parsed.text("depths"), "--depths", 0, 100),
                      evaluation_positions(setup.config.training, *setup.data));
    for (Evaluation& row : grid.rows) row.step = files.step;
    if (parsed.flag("json")) {
        Value value = to_table(grid);
        add_columns(value, replicas, setup.data->chance());
        fmt::print("{}\n", write_json(value));
        return;
    }
    fmt::print("{}, step {}\n", setup.config.name, files.step);
    print_grid(grid, replicas, trained);
}

}  // namespace

int run_eval(const Arguments& arguments) {
    Syntax syntax(
        "eval", "RUN|CHECKPOINT [--lengths 64,128,256] [--replica best|K|all] [options]",
        "Accuracy of a run's newest checkpoint, or of the checkpoint named, on fresh examples of fixed sizes; the\n"
        "longest size that it masters; and, where answers have several tokens, the share of them that is wholly right.",
        {"whorl eval runs/parity", "whorl eval runs/parity --lengths 64,128,256 --replica all",
         "whorl eval runs/parity/checkpoints/step-1000 --json", "whorl eval runs/needle --grid --depths 0,50,100"});
    syntax.positionals = {{"RUN|CHECKPOINT"}};
    add_device_options(syntax.options);
    syntax.options.add_options()("lengths", po::value<std::string>(),
                                 "sizes to test at (default: the recipe's test.sizes)")(
        "count", po::value<std::int64_t>(), "examples a size (default: the recipe's test.count)")(
        "replica", po::value<std::string>()->default_value("best"),
        "best (by validation accuracy), a number from 0, or all")("validation", po::bool_switch(),
                                                                  "use the validation split instead of the test split")(
        "threshold", po::value<double>()->default_value(0.9), "accuracy that counts for the effective length")(
        "per-position", po::bool_switch(), "accuracy at each supervised position, too: an average hides a prefix")(
        "grid", po::bool_switch(), "needles at every depth and up to 16 times the training size (task needle)")(
        "depths", po::value<std::string>()->default_value("0,10,20,30,40,50,60,70,80,90,100"),
        "rows of the grid, in percent")("json", po::bool_switch(), "for programs");
    const auto parsed = parse(syntax, arguments);
    if (!parsed) return 0;
    const Located located = locate(parsed->first("RUN|CHECKPOINT"));
    const RunSetup setup = set_up(load_toml(located.run.config_path()));
    EvaluationConfig on = setup.config.test;
    override_sizes(*parsed, setup.task, on);
    const double threshold = threshold_from(*parsed);
    check_grid(*parsed, setup);
    const auto replicas = chosen_replicas(parsed->text("replica"), located.files, setup.config.replicas.count());
    const auto backend = make_backend(*parsed);
    const Split split = parsed->flag("validation") ? Split::validation : Split::test;
    TrainedModels models = load_models(setup, located.files, replicas, *backend);
    if (parsed->flag("grid")) {
        run_grid(*parsed, setup, located.files, models, replicas, split, on);
        return 0;
    }
    const bool positions = parsed->flag("per-position");
    Evaluation evaluation =
        models.evaluate(*setup.data, split, on, evaluation_positions(setup.config.training, *setup.data), positions);
    evaluation.step = located.files.step;
    if (parsed->flag("json")) {
        print_json(evaluation, replicas, setup.data->chance(), threshold);
        return 0;
    }
    fmt::print("{}, step {}\n", setup.config.name, evaluation.step);
    print_replicas(evaluation, setup, replicas);
    print_effective_lengths(evaluation, replicas, threshold);
    if (positions) print_positions(evaluation, replicas);
    return 0;
}

}  // namespace whorl::cli
