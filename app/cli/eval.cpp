// whorl eval: how well a run's models, or one from a file, do at lengths of one's choice.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "app/cli/notes.hpp"
#include "app/cli/options.hpp"
#include "app/cli/progress.hpp"
#include "app/cli/scores.hpp"
#include "app/cli/tables.hpp"
#include "app/inference/finite.hpp"
#include "app/run/manifest.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/checkpoint_file.hpp"
#include "core/training/checkpoint.hpp"

namespace whorl::cli {
namespace {

namespace fs = std::filesystem;

// A run's newest checkpoint, or a checkpoint inside a run (checkpoints/step-N).
struct Located {
    RunDirectory run;
    CheckpointFiles files;
    std::vector<std::string> notes;  // of damaged checkpoints that were passed over
};

Located locate(const std::string& path) {
    if (RunDirectory::exists(path)) {
        std::vector<std::string> notes;
        const RunDirectory run = RunDirectory::open(path);
        const auto newest = run.newest_checkpoint(notes);
        if (!newest) throw UserError(one_line(path + ": this run has no checkpoint yet"));
        return {run, *newest, notes};
    }
    std::error_code error;
    if (!fs::is_directory(path, error))
        throw UserError(one_line(path + ": there is no such folder or file; expected a run, a checkpoint (…/step-N) or "
                                        "a .safetensors file"));
    const CheckpointFiles files = open_checkpoint(path);
    const fs::path run = fs::path(files.folder).parent_path().parent_path();
    return {RunDirectory::open(run.empty() ? "." : run.string()), files, {}};
}

// Replicas to evaluate, by --replica best|K|all.
std::vector<std::size_t> chosen_replicas(const std::string& choice, const Located& located, std::int64_t count) {
    if (choice == "best") {
        const Evaluation validation = stored_validation(located.files, count);
        if (validation.accuracy.empty())
            throw UserError(behind_notes(
                located.notes,
                "--replica best: this checkpoint holds no validation to choose by; name a replica, or all"));
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
std::vector<float> parameters_of(const RunSetup& setup, const CheckpointFiles& files,
                                 const std::vector<std::size_t>& replicas) {
    const ParameterLayout layout(setup.model);
    const auto slice = static_cast<std::size_t>(layout.slice());
    const TrainerSnapshot whole = load_checkpoint(files, layout, setup.config.replicas.count());
    std::vector<float> parameters;
    for (const std::size_t r : replicas) {
        const auto first = whole.values.parameters.begin() + static_cast<std::ptrdiff_t>(r * slice);
        parameters.insert(parameters.end(), first, first + static_cast<std::ptrdiff_t>(slice));
    }
    return parameters;
}

void override_sizes(const Parsed& parsed, const Task& task, EvaluationConfig& on) {
    if (parsed.has("lengths")) on.sizes = number_list(parsed.text("lengths"), "--lengths", 1, kLargestTaskSize);
    for (const std::int64_t size : on.sizes) check_size(task, size, "--lengths");
    if (parsed.has("count"))
        on.count = number_list(std::to_string(parsed.number("count")), "--count", 1, 1 << 24).front();
}

// --- who is asked what -----------------------------------------------------------------------------------------------

struct Exam {
    std::optional<RunSetup> setup;  // of the run that the models belong to
    std::string title;
    Task task;  // the run's, or by --task
    std::unique_ptr<DataSource> data;
    EvaluationConfig on;
    EvaluationPace pace;
    std::int64_t step = 0;
    std::vector<std::size_t> replicas;
    ModelConfig model;
    std::vector<float> parameters;   // of the replicas, one after the other
    std::vector<std::string> notes;  // lines that people should see
};

Exam exam_of_run(const Parsed& parsed) {
    const Located located = locate(parsed.first("RUN|CHECKPOINT"));
    Exam exam;
    exam.notes = located.notes;
    exam.setup = load_setup(located.run, &exam.notes);
    const RunSetup& setup = *exam.setup;
    exam.title = fmt::format("{}, step {}", setup.config.name, located.files.step);
    exam.task = setup.task;
    exam.on = setup.config.test;
    exam.pace.positions = evaluation_positions(setup.config.training, *setup.data);
    exam.step = located.files.step;
    exam.replicas = chosen_replicas(parsed.text("replica"), located, setup.config.replicas.count());
    exam.model = setup.model;
    exam.parameters = parameters_of(setup, located.files, exam.replicas);
    return exam;
}

// A model, or a population, that no run lies around.
Exam exam_of_file(const Parsed& parsed) {
    const std::string path = parsed.first("RUN|CHECKPOINT"), choice = parsed.text("replica");
    const LoadedModel first = load_model(path, choice == "all" ? ReplicaChoice{0, false} : replica_choice(choice));
    Exam exam;
    exam.title = one_line(first.path);
    exam.model = first.config;
    exam.notes = first.notes;
    const std::int64_t count = choice == "all" ? first.replicas : 1;
    for (std::int64_t i = 0; i < count; ++i) {
        const LoadedModel model = i == 0 ? first : load_model(path, {i, false});
        exam.replicas.push_back(static_cast<std::size_t>(model.replica));
        exam.parameters.insert(exam.parameters.end(), model.slice.begin(), model.slice.end());
    }
    return exam;
}

bool belongs_to_run(const std::string& path) {
    const fs::path folder = path;
    std::error_code error;
    return RunDirectory::exists(path) ||
           (fs::is_directory(folder, error) && RunDirectory::exists((folder / ".." / "..").string()));
}

// --task for the run's own task, or for the one that a file lacks.
void choose_task(const Parsed& parsed, Exam& exam) {
    if (parsed.has("task")) {
        exam.task = find_task(parsed.text("task"), parsed.all("set"));
        exam.title += ", task " + name_of_task(exam.task);
        exam.on.sizes = {64, 256};
    } else if (parsed.has("set")) {
        throw UserError("--set: changes the task that --task names; there is no --task");
    }
    exam.data = make_data_source(exam.task);
    if (exam.data->vocabulary() > exam.model.vocab_size)
        throw UserError(fmt::format("--task {}: needs {} tokens, but the model has {}", name_of_task(exam.task),
                                    exam.data->vocabulary(), exam.model.vocab_size));
}

void check_has_task(const Parsed& parsed, const std::string& path) {
    std::error_code error;
    if (parsed.has("task") || !fs::is_regular_file(path, error)) return;
    std::vector<std::string> names;
    for (const Task& task : all_tasks()) names.push_back(name_of_task(task));
    throw UserError(
        one_line(path + ": a model in a file has no task of its own; name one with --task" + suggestion("", names)));
}

Exam exam_of(const Parsed& parsed) {
    const std::string path = parsed.first("RUN|CHECKPOINT");
    check_has_task(parsed, path);
    Exam exam = parsed.has("task") && !belongs_to_run(path) ? exam_of_file(parsed) : exam_of_run(parsed);
    choose_task(parsed, exam);
    override_sizes(parsed, exam.task, exam.on);
    exam.pace.piece = piece_from(parsed);
    return exam;
}

// --- what is shown ---------------------------------------------------------------------------------------------------

const Needle& needle_of(const RunSetup& setup) {
    const auto* needle = std::get_if<Needle>(&setup.task);
    if (needle == nullptr)
        throw UserError("--grid: this run's task is " + name_of_task(setup.task) +
                        ", which hides nothing at a depth; the grid is of runs on needle");
    return *needle;
}

// Before anything is computed.
void check_grid(const Parsed& parsed, const Exam& exam) {
    if (!parsed.flag("grid")) {
        if (parsed.has("depths")) throw UserError("--depths: names the rows of a grid; add --grid");
        return;
    }
    for (const char* other : {"per-position", "threshold", "task"})
        if (parsed.has(other)) throw UserError(fmt::format("--grid and --{} exclude each other", other));
    needle_of(*exam.setup);
}

std::string nonfinite_weights(const Exam& exam) {
    const ParameterLayout layout(exam.model);
    const auto slice = static_cast<std::size_t>(layout.slice());
    for (std::size_t i = 0; i < exam.replicas.size(); ++i) {
        const std::string what = nonfinite_parameter(layout, std::span(exam.parameters).subspan(i * slice, slice));
        if (!what.empty())
            return fmt::format("{}: replica {}: {}; such weights answer nothing", exam.title, exam.replicas[i], what);
    }
    return "";
}

// The pace, with a progress line.
EvaluationPace shown(EvaluationPace pace) {
    pace.progress = [line = std::shared_ptr<TokenProgress>()](const EvaluationProgress& progress) mutable {
        if (!line) line = std::make_shared<TokenProgress>(progress.total, false);
        line->show(progress.done, progress.share);
    };
    return pace;
}

// Needles at every depth, in haystacks up to 16 times as long as those of training.
int run_grid(const Parsed& parsed, const Exam& exam, TrainedModels& models, Split split) {
    const std::int64_t trained = exam.setup->config.training.curriculum.largest();
    EvaluationConfig on = exam.on;
    if (!parsed.has("lengths")) on.sizes = grid_sizes(trained);
    models.check_memory(*exam.data, on, exam.pace, "--lengths");
    NeedleGrid grid = evaluate_grid(models, needle_of(*exam.setup), split, on,
                                    number_list(parsed.text("depths"), "--depths", 0, 100), shown(exam.pace));
    for (Evaluation& row : grid.rows) row.step = exam.step;
    if (parsed.flag("json")) {
        Value value = to_table(grid);
        add_columns(value, {exam.replicas, exam.data->chance(), exam.notes});
        fmt::print("{}\n", write_json(value));
    } else {
        fmt::print("{}\n", exam.title);
        print_grid(grid, exam.replicas, trained);
    }
    for (const Evaluation& row : grid.rows)
        if (const int status = status_of(row, exam.replicas); status != 0) return status;
    return 0;
}

ScoredModels scored(const Exam& exam) {
    return {exam.replicas, exam.data->chance(), exam.notes};
}

void print_text(const Exam& exam, const Evaluation& evaluation, double threshold) {
    fmt::print("{}\n", exam.title);
    if (exam.setup)
        print_replicas(evaluation, *exam.setup, exam.data->chance(), exam.replicas);
    else
        print_models(evaluation, exam.data->chance(), exam.replicas);
    print_further_scores(evaluation, exam.replicas, threshold);
}

Syntax eval_syntax() {
    Syntax syntax(
        "eval", "RUN|CHECKPOINT [--task T] [--lengths 64,128,256] [--replica best|K|all] [options]",
        "Accuracy of a run's newest checkpoint, or of the checkpoint named, on fresh examples of fixed sizes; the\n"
        "longest size that it masters; and, where answers have several tokens, the share of them that is wholly "
        "right.\n"
        "With --task any model can be asked: a run's at another task, or one in a .safetensors file, which has none.",
        {"whorl eval runs/parity", "whorl eval runs/parity --lengths 64,128,256 --replica all",
         "whorl eval runs/parity/checkpoints/step-1000 --json", "whorl eval runs/needle --grid --depths 0,50,100",
         "whorl eval parity.safetensors --task parity --lengths 64,4096"});
    syntax.positionals = {{"RUN|CHECKPOINT"}};
    add_device_options(syntax.options);
    add_piece_option(syntax.options);
    syntax.options.add_options()("task", po::value<std::string>(), "the task to ask for, instead of the run's own")(
        "set", po::value<std::vector<std::string>>()->composing(),
        "key=value: an option of that task, such as supervise=all; may be given several times")(
        "lengths", po::value<std::string>(), "sizes to test at (default: the recipe's test.sizes; with --task 64,256)")(
        "count", po::value<std::int64_t>(), "examples a size (default: the recipe's test.count; of a file 256)")(
        "replica", po::value<std::string>()->default_value("best"),
        "best (by validation at its largest size), a number from 0, or all")(
        "validation", po::bool_switch(), "use the validation split instead of the test split")(
        "threshold", real_value(0.9), "accuracy that counts for the effective length")(
        "per-position", po::bool_switch(), "accuracy at each supervised position, too: an average hides a prefix")(
        "grid", po::bool_switch(), "needles at every depth and up to 16 times the training size (task needle)")(
        "depths", po::value<std::string>()->default_value("0,10,20,30,40,50,60,70,80,90,100"),
        "rows of the grid, in percent")("json", po::bool_switch(), "for programs");
    return syntax;
}

}  // namespace

int run_eval(const Arguments& arguments) {
    const auto parsed = parse(eval_syntax(), arguments);
    if (!parsed) return 0;
    const Exam exam = exam_of(*parsed);
    print_notes(exam.notes);
    const double threshold = threshold_from(*parsed);
    check_grid(*parsed, exam);
    if (const std::string what = nonfinite_weights(exam); !what.empty()) return no_result(what);
    const auto backend = make_backend(*parsed);
    const Split split = parsed->flag("validation") ? Split::validation : Split::test;
    TrainedModels models(exam.model, exam.parameters, *backend);
    if (parsed->flag("grid")) return run_grid(*parsed, exam, models, split);
    models.check_memory(*exam.data, exam.on, exam.pace, "--lengths");
    const bool positions = parsed->flag("per-position");
    Evaluation evaluation = models.evaluate(*exam.data, split, exam.on, shown(exam.pace), positions);
    evaluation.step = exam.step;
    if (parsed->flag("json"))
        print_json(evaluation, scored(exam), threshold);
    else
        print_text(exam, evaluation, threshold);
    return status_of(evaluation, exam.replicas);
}

}  // namespace whorl::cli
