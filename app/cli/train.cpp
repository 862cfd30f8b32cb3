// whorl train: a recipe's population, from its first step or from where it was interrupted.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "app/cli/notes.hpp"
#include "app/cli/options.hpp"
#include "app/cli/outputs.hpp"
#include "app/cli/progress.hpp"
#include "app/cli/tables.hpp"
#include "app/cli/view_program.hpp"
#include "app/run/config_difference.hpp"
#include "app/run/interrupt.hpp"
#include "app/run/manifest.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl::cli {
namespace {

constexpr int kSignalStatus = 128;  // + number: how shells report a program ended by a signal

Syntax syntax() {
    Syntax syntax(
        "train", "RECIPE [--set key=value]… [options]",
        "Trains the population of models that a recipe (a TOML file, or the name of one built into the program) "
        "describes, and\n"
        "leaves config, metrics and checkpoints in a folder. Ctrl-C finishes the step and saves. However a run is "
        "interrupted,\n"
        "--resume goes on from its last checkpoint and ends with the same bytes; so it does on another number of "
        "--devices, but for data_parallel, which stays with its own.",
        {"whorl train parity-quick --out runs/parity", "whorl train my.toml --set model.preset=mamba2 --set batch=128",
         "whorl train --resume --out runs/parity", "whorl train parity-full --dry-run",
         "whorl train parity-quick --set checkpoint.snapshots=200 --watch", "whorl train parity-full --devices 0,1",
         "whorl train my.toml --devices 0,1 --set data_parallel=2",
         "whorl train parity-full --set replicas.learning_rate='{ log = [1e-4, 1e-2], count = 8 }' --memory 4"});
    syntax.positionals = {{"RECIPE", 0, 1}};
    add_set_option(syntax.options);
    add_training_devices(syntax.options);
    add_group_options(syntax.options);
    syntax.options.add_options()("out", po::value<std::string>(), "the run's folder (default runs/NAME)")(
        "replicas", po::value<std::int64_t>(), "seeds of each combination: the recipe's replicas.seeds")(
        "resume", po::bool_switch(), "go on with the run in --out; with a RECIPE, begin it when there is none")(
        "allow-other-build", po::bool_switch(),
        "go on with a run of another build or machine, though its bits may differ")(
        "watch", po::bool_switch(), "open the explorer on the run, beside the training")(
        "dry-run", po::bool_switch(), "only say what it takes: groups, memory, tokens, time");
    return syntax;
}

RunSetup setup_from_recipe(const Parsed& parsed) {
    std::vector<std::string> assignments = parsed.all("set");
    if (parsed.has("replicas")) assignments.push_back("replicas.seeds=" + std::to_string(parsed.number("replicas")));
    return set_up(load_recipe(parsed.first("RECIPE"), assignments));
}

struct Job {
    RunSetup setup;
    RunDirectory run;
};

// Throws UserError naming each key in which the recipe, when one is given, differs from the run's config.
void check_recipe(const Parsed& parsed, const RunSetup& setup, const RunDirectory& run) {
    if (parsed.first("RECIPE").empty()) {
        if (parsed.has("set") || parsed.has("replicas"))
            throw UserError(
                "--resume goes on with the config that the run began with; --set and --replicas need a new run");
        return;
    }
    const auto differences = config_differences(to_value(setup.config), to_value(setup_from_recipe(parsed).config));
    if (!differences.empty())
        throw UserError(one_line(run.config_path() + ": the recipe differs: " + difference_text(differences) +
                                 "; leave the recipe out to go on as begun, or choose another --out"));
}

Job resume(const Parsed& parsed) {
    RunDirectory run = RunDirectory::open(parsed.text("out"));
    run.hold();
    std::vector<std::string> notes;
    RunSetup setup = load_setup(run, &notes);
    check_recipe(parsed, setup, run);
    print_notes(notes);
    return {std::move(setup), run};
}

Job begin(const Parsed& parsed, const Devices& devices) {
    if (parsed.first("RECIPE").empty())
        throw UserError("RECIPE is missing; usage: whorl train RECIPE [--set key=value]… [options]");
    RunSetup setup = setup_from_recipe(parsed);
    const std::string out = parsed.has("out") ? parsed.text("out") : "runs/" + setup.config.name;
    refuse_own_inputs(out, {out}, {parsed.first("RECIPE")});
    check_devices(setup, devices, group_request(parsed));
    const RunDirectory run = RunDirectory::create(out, setup.toml());
    return {std::move(setup), run};
}

// Of many steps every so-manieth is looked at: sizes change slowly.
double total_tokens(const RunSetup& setup) {
    constexpr std::int64_t kMostLooks = 1 << 20;
    const TrainingConfig& training = setup.config.training;
    const Curriculum& curriculum = training.curriculum;
    const std::int64_t stride = training.steps / kMostLooks + 1;
    double tokens = 0;
    for (std::int64_t step = 0; step < training.steps; step += stride) {
        // Of one that reacts nobody knows: at most this.
        const std::int64_t size =
            curriculum.reacts() ? curriculum.largest() : max_size(curriculum, step, training.steps);
        tokens += static_cast<double>(std::min(stride, training.steps - step)) *
                  static_cast<double>(training.batch * bucket_length(setup.data->positions(size)));
    }
    return tokens * static_cast<double>(setup.config.replicas.count());
}

/// What is timed for an estimate: the run's largest sequences, but no more of them than take a second.
struct TimedPart {
    TrainingConfig training;
    std::vector<ReplicaHyper> replicas;
};

TimedPart timed_part(const RunSetup& setup, std::int64_t devices) {
    constexpr std::int64_t kMostPositions = 1 << 18;                  // a step of a small model on a processor
    constexpr std::int64_t kMostWork = std::int64_t{30'000'000'000};  // positions × parameters of a large one
    TimedPart part{setup.config.training, replicas_of(setup.config.replicas)};
    TrainingConfig& training = part.training;
    training.curriculum.end = training.curriculum.largest();
    training.curriculum.shape = CurriculumShape::fixed;
    training.curriculum.advance_at = 0;
    const std::int64_t length = bucket_length(setup.data->positions(training.curriculum.largest()));
    const std::int64_t positions = std::min(kMostPositions, kMostWork / ParameterLayout(setup.model).count());
    const std::int64_t sequences = std::max<std::int64_t>(1, positions / length), split = training.data_parallel;
    const auto all = static_cast<std::int64_t>(part.replicas.size()),
               some = std::clamp(sequences, std::min(devices, all), all);
    part.replicas.resize(static_cast<std::size_t>(some));
    training.batch = std::min(training.batch, std::max<std::int64_t>(1, sequences / some / split) * split);
    return part;
}

// A few steps; the first one pays for the memory's first touch and does not count.
double tokens_per_second(const RunSetup& setup, const Devices& devices, const GroupRequest& request) {
    constexpr std::int64_t kTimedSteps = 3;
    const TimedPart part = timed_part(setup, static_cast<std::int64_t>(devices.size()));
    Trainer trainer(part.training, setup.model, *setup.data, part.replicas, devices, request);
    trainer.step(1);
    const std::int64_t before = trainer.peek_row().tokens;
    const auto begin = std::chrono::steady_clock::now();
    trainer.step(kTimedSteps);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double tokens = static_cast<double>(trainer.peek_row().tokens - before);
    return tokens * static_cast<double>(part.replicas.size()) / seconds;
}

// What the run takes at its peak, and where that is.
std::string memory_line(const ShareEstimate& estimate) {
    if (estimate.evaluation <= estimate.training) return memory_text(estimate.training);
    return fmt::format("{} while size {} is evaluated, {} while training", memory_text(estimate.evaluation),
                       estimate.evaluation_size, memory_text(estimate.training));
}

int dry_run(const Parsed& parsed) {
    const RunSetup setup = setup_from_recipe(parsed);
    const OwnedDevices owned = make_devices(parsed);
    const Devices devices = owned.all();
    const std::vector<ShareEstimate> estimates = check_devices(setup, devices, group_request(parsed));
    const ShareEstimate& first = estimates.front();
    const std::size_t used = estimates.size();
    const std::string each = used > 1 ? fmt::format("each of {} devices, ", used) : "";
    const double rate = tokens_per_second(setup, devices, group_request(parsed)), tokens = total_tokens(setup);
    fmt::print("{}: {} replicas, {} parameters each\n", setup.config.name, setup.config.replicas.count(),
               ParameterLayout(setup.model).count());
    fmt::print("groups   {} of up to {} replicas\n",
               (first.work.replicas.count + first.group - 1) / first.group * static_cast<std::int64_t>(used),
               first.group);
    fmt::print("memory   {} on {}{}\n", memory_line(first), each, devices.describe());
    fmt::print("tokens   {:.2f} million in {} steps (padding included)\n", tokens / 1e6, setup.config.training.steps);
    fmt::print("time     about {} at {:.0f} tokens/s, plus evaluation\n", duration_text(tokens / rate), rate);
    return 0;
}

// With a recipe, --resume also begins the run: a batch job that is started again and again needs one command.
bool begins(const Parsed& parsed) {
    if (!parsed.flag("resume")) return true;
    if (!parsed.has("out")) throw UserError("--resume needs --out DIR, the folder of the run to go on with");
    return !parsed.first("RECIPE").empty() && !RunDirectory::exists(parsed.text("out"));
}

}  // namespace

int run_train(const Arguments& arguments) {
    const auto parsed = parse(syntax(), arguments);
    if (!parsed) return 0;
    if (parsed->flag("dry-run")) return dry_run(*parsed);
    const std::string viewer = parsed->flag("watch") ? view_program("--watch") : "";
    const OwnedDevices owned = make_devices(*parsed);
    const Devices devices = owned.all();
    const Job job = begins(*parsed) ? begin(*parsed, devices) : resume(*parsed);
    if (!viewer.empty()) start_beside(viewer, {"train", job.run.path()});
    const InterruptGuard guard;
    ProgressLine line(job.setup.config.name);
    const SessionResult result = train_run(job.setup, job.run, devices, hooks_for(line),
                                           {group_request(*parsed), parsed->flag("allow-other-build")});
    line.finish();
    if (result.interrupted) {
        fmt::print(stderr, "stopped after step {}; go on with: whorl train --resume --out {}\n", result.step,
                   job.run.path());
        return kSignalStatus + InterruptGuard::signal();
    }
    fmt::print("{} steps in {}: {} (determinism {})\n", result.step, duration_text(result.seconds), job.run.path(),
               determinism_text(job.setup, devices.describe()));
    if (result.solved > 0) fmt::print("{} replicas solved it and were stopped early\n", result.solved);
    print_population(result.test, job.setup, best_replica(*last_evaluation(job.run, job.setup, Split::validation)));
    const std::int64_t failed = job.setup.config.replicas.count() - result.alive;
    if (failed > 0)
        fmt::print(stderr, "whorl: {} of {} replicas were stopped, because loss or gradient was no longer finite\n",
                   failed, job.setup.config.replicas.count());
    return result.alive == 0 ? 1 : 0;
}

}  // namespace whorl::cli
