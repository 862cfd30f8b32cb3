// whorl eval: how well a run's models do at lengths of one's choice.
#include <fmt/format.h>

#include <filesystem>

#include "core/base/error.hpp"
#include "core/io/text.hpp"
#include "core/training/checkpoint.hpp"
#include "experiments/cli/options.hpp"
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

// The population of the chosen replicas alone: evaluating one of a thousand costs a thousandth.
TrainerSnapshot select(const TrainerSnapshot& from, const std::vector<std::size_t>& replicas, std::size_t slice) {
    TrainerSnapshot result{from.step, from.tokens, from.stage, Standing(replicas.size()), IntervalSums(replicas.size()),
                           {}};
    const auto append = [slice](std::vector<float>& to, const std::vector<float>& source, std::size_t r) {
        const auto first = source.begin() + static_cast<std::ptrdiff_t>(r * slice);
        to.insert(to.end(), first, first + static_cast<std::ptrdiff_t>(slice));
    };
    for (const std::size_t r : replicas) {
        append(result.values.parameters, from.values.parameters, r);
        append(result.values.first_moment, from.values.first_moment, r);
        append(result.values.second_moment, from.values.second_moment, r);
    }
    return result;
}

Evaluation evaluate(const RunSetup& setup, const CheckpointFiles& files, const std::vector<std::size_t>& replicas,
                    Split split, const EvaluationConfig& on, Backend& backend) {
    const std::vector<ReplicaHyper> all = replicas_of(setup.config.replicas);
    std::vector<ReplicaHyper> chosen;
    for (const std::size_t r : replicas) chosen.push_back(all[r]);
    Trainer trainer(setup.config.training, setup.model, *setup.data, chosen, backend);
    const TrainerSnapshot whole = load_checkpoint(files, trainer.model().layout(), setup.config.replicas.count());
    trainer.restore(select(whole, replicas, static_cast<std::size_t>(trainer.model().layout().slice())));
    return trainer.evaluate(split, on);
}

void print_json(const Evaluation& evaluation, const std::vector<std::size_t>& replicas, double chance) {
    Value value = to_table(evaluation);
    Array numbers;
    for (const std::size_t r : replicas) numbers.emplace_back(static_cast<std::int64_t>(r));
    auto& table = std::get<Table>(value.data);
    table.push_back({"replicas", {std::move(numbers)}});
    table.push_back({"chance", {chance}});
    fmt::print("{}\n", write_json(value));
}

}  // namespace

int run_eval(const Arguments& arguments) {
    Syntax syntax(
        "eval", "RUN|CHECKPOINT [--lengths 64,128,256] [--replica best|K|all] [options]",
        "Accuracy of a run's newest checkpoint, or of the checkpoint named, on fresh examples of fixed sizes.",
        {"whorl eval runs/parity", "whorl eval runs/parity --lengths 64,128,256 --replica all",
         "whorl eval runs/parity/checkpoints/step-1000 --json"});
    syntax.positionals = {{"RUN|CHECKPOINT"}};
    add_device_options(syntax.options);
    syntax.options.add_options()("lengths", po::value<std::string>(),
                                 "sizes to test at (default: the recipe's test.sizes)")(
        "count", po::value<std::int64_t>(), "examples a size (default: the recipe's test.count)")(
        "replica", po::value<std::string>()->default_value("best"),
        "best (by validation accuracy), a number from 0, or all")("validation", po::bool_switch(),
                                                                  "use the validation split instead of the test split")(
        "json", po::bool_switch(), "for programs");
    const auto parsed = parse(syntax, arguments);
    if (!parsed) return 0;
    const Located located = locate(parsed->first("RUN|CHECKPOINT"));
    const RunSetup setup = set_up(load_toml(located.run.config_path()));
    EvaluationConfig on = setup.config.test;
    if (parsed->has("lengths"))
        on.sizes = number_list(parsed->text("lengths"), "--lengths", setup.data->min_size(), 1 << 20);
    if (parsed->has("count"))
        on.count = number_list(std::to_string(parsed->number("count")), "--count", 1, 1 << 24).front();
    const auto replicas = chosen_replicas(parsed->text("replica"), located.files, setup.config.replicas.count());
    const auto backend = make_backend(*parsed);
    const Split split = parsed->flag("validation") ? Split::validation : Split::test;
    const Evaluation evaluation = evaluate(setup, located.files, replicas, split, on, *backend);
    if (parsed->flag("json")) {
        print_json(evaluation, replicas, setup.data->chance());
        return 0;
    }
    fmt::print("{}, step {}\n", setup.config.name, evaluation.step);
    print_replicas(evaluation, setup, replicas);
    return 0;
}

}  // namespace whorl::cli
