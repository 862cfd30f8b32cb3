#include "app/run/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/run/manifest.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/config/config_binding.hpp"
#include "core/training/checkpoint.hpp"
#include "core/training/snapshots.hpp"

namespace whorl {
namespace {

using Clock = std::chrono::steady_clock;

// The metrics' last evaluation of that split, if it is of that step.
std::optional<Evaluation> evaluation_at(const RunDirectory& run, const RunSetup& setup, Split split,
                                        std::int64_t step) {
    auto last = last_evaluation(run, setup, split);
    return last && last->step == step ? std::move(last) : std::nullopt;
}

class Session {
public:
    /// `run` is held.
    Session(const RunSetup& setup, const RunDirectory& run, const Devices& devices, const SessionHooks& hooks,
            const SessionOptions& options)
        : setup_(setup),
          run_(run),
          hooks_(hooks),
          options_(options),
          begin_(Clock::now()),
          before_(load_status(run)),
          trainer_(setup.config.training, setup.model, *setup.data, replicas_of(setup.config.replicas), devices,
                   options.group),
          device_(devices.at_most(trainer_.shares().size()).describe()),
          snapshots_(run, trainer_, setup.config.training.steps, setup.config.checkpoint.snapshots, label()) {
        note_devices(devices.size());
        if (!snapshots_.note().empty()) hooks_.note(snapshots_.note());
    }

    SessionResult train() {
        restore();
        steps_before_ = trainer_.steps_done();
        tokens_before_ = trainer_.peek_row().tokens;
        write_manifest("running");
        snapshots_.begin();
        while (!trainer_.finished()) {
            take_steps();
            run_.check_in_place();
            snapshots_.follow();
            const std::int64_t step = trainer_.steps_done();
            report_progress();
            if (trainer_.finished()) break;
            if (due(setup_.config.log_every, step)) log_row();
            if (due(setup_.config.validation.every, step)) validate();
            if (trainer_.finished()) break;  // the last ones were solved; complete() saves
            const bool stop = hooks_.stop();
            if (stop || due(setup_.config.checkpoint.every, step)) save();
            if (stop) return leave();
        }
        return complete();
    }

private:
    CheckpointLabel label() const { return {setup_.config.name, setup_.data->name(), setup_.data->version()}; }
    std::int64_t solved() const { return trainer_.standing().count(StopReason::solved); }
    std::int64_t finite() const {
        return setup_.config.replicas.count() - trainer_.standing().count(StopReason::not_finite);
    }
    static bool due(std::int64_t every, std::int64_t step) { return every > 0 && step % every == 0; }
    static double seconds_since(Clock::time_point begin) {
        return std::chrono::duration<double>(Clock::now() - begin).count();
    }
    double seconds() const { return before_.seconds + seconds_since(begin_); }

    void note_devices(std::size_t given) const {
        const std::size_t used = trainer_.shares().size();
        if (used < given)
            hooks_.note(
                fmt::format("{} of {} GPUs are used, as there are no more replicas; data_parallel = {} in the "
                            "recipe splits each batch instead",
                            used, given, given));
        if (setup_.config.training.data_parallel > 1)
            hooks_.note(
                fmt::format("each batch is split over {} GPUs: equal to one within rounding, not in its bits", used));
    }

    // Up to the next row, validation, checkpoint or snapshot at most.
    std::int64_t steps_at_once() const {
        std::int64_t count = std::min(pace_, snapshots_.steps_to_next());
        for (const std::int64_t every :
             {setup_.config.log_every, setup_.config.validation.every, setup_.config.checkpoint.every})
            if (every > 0) count = std::min(count, every - trainer_.steps_done() % every);
        return count;
    }
    // One after the other, or, on a device that works ahead, as many at once as take some tenths of a second: people
    // want to see progress, and to be able to stop.
    void take_steps() {
        constexpr double kShort = 0.1, kLong = 0.5;
        const std::int64_t count = steps_at_once();
        const Clock::time_point begin = Clock::now();
        trainer_.step(count);
        const double took = seconds_since(begin);
        if (took > kLong)
            pace_ = std::max<std::int64_t>(1, pace_ / 2);
        else if (took < kShort && count == pace_)
            pace_ = std::min(2 * pace_, trainer_.steps_ahead());
    }

    // A run goes on with the same bits only where build and machine are the same.
    void check_origin() {
        const auto there = stored_origin(run_);
        const std::string differences = there ? origin_differences(*there, origin_here(device_)) : "";
        if (differences.empty()) return;
        const std::string what =
            run_.path() + ": was begun by another build or machine, so that its bits may differ (" + differences + ")";
        if (!options_.allow_other_build)
            throw UserError(one_line(
                what + "; go on all the same with whorl train --resume --allow-other-build --out " + run_.path()));
        hooks_.note(one_line("warning: " + what));
        before_.earlier.push_back(there->text());
    }

    void restore() {
        const std::int64_t replicas = setup_.config.replicas.count();
        std::vector<std::string> notes;
        const auto newest = run_.newest_checkpoint(notes);
        for (const std::string& note : notes) hooks_.note(note);
        // A manifest is of a later step than 0 only once there is a checkpoint.
        if (!newest && before_.step > 0)
            throw UserError(one_line(run_.path() + ": the run was at step " + std::to_string(before_.step) +
                                     ", but has no checkpoint" + run_.ways_out()));
        if (newest) {
            check_origin();
            trainer_.restore(load_checkpoint(*newest, trainer_.model().layout(), replicas));
            validation_ = stored_validation(*newest, replicas);
        }
        run_.truncate_metrics_after_step(newest ? newest->step : 0);
        run_.remove_unfinished();
    }

    void log_row() {
        run_.append_metrics(to_json_line(trainer_.take_row()));
        logged_at_ = trainer_.steps_done();
    }
    void validate() {
        const bool before = !validation_.accuracy.empty();
        validation_ =
            trainer_.evaluate(Split::validation, setup_.config.validation.on, before ? &validation_ : nullptr);
        record(validation_);
        trainer_.observe(validation_);
        if (const auto review = trainer_.review_stage(setup_.config.validation.on))
            run_.append_metrics(to_json_line(*review));
    }
    void record(const Evaluation& evaluation) {
        run_.append_metrics(write_json(to_table(evaluation)));
        hooks_.evaluated(evaluation);
    }
    void save() {
        run_.sync_metrics();
        save_checkpoint(run_, trainer_.model(), trainer_.snapshot(), label(), validation_);
        run_.prune_checkpoints(static_cast<std::size_t>(setup_.config.checkpoint.keep), trainer_.steps_done());
    }
    void write_manifest(const char* status) const {
        save_manifest(run_, setup_, device_,
                      {status, trainer_.steps_done(), finite(), solved(), seconds(), before_.earlier,
                       static_cast<std::int64_t>(trainer_.shares().size()), snapshots_.moments()});
    }
    void report_progress() {
        hooks_.progress({trainer_.peek_row(), setup_.config.training.steps, seconds_since(begin_), steps_before_,
                         tokens_before_, trainer_.alive()});
    }

    SessionResult leave() {
        write_manifest("interrupted");
        return {true, trainer_.steps_done(), finite(), solved(), seconds(), {}};
    }
    SessionResult complete() {
        std::optional<Evaluation> test = evaluation_at(run_, setup_, Split::test, trainer_.steps_done());
        const bool validated = evaluation_at(run_, setup_, Split::validation, trainer_.steps_done()).has_value();
        if (!test || !validated) {  // else only the manifest was missing
            if (logged_at_ != trainer_.steps_done()) log_row();
            if (validation_.accuracy.empty() || validation_.step != trainer_.steps_done())
                validate();
            else if (!validated)
                record(validation_);  // its row was lost, the checkpoint holds it
            test = trainer_.evaluate(Split::test, setup_.config.test);
            record(*test);
            snapshots_.follow();  // where training ended before its last step
            save();
        }
        write_manifest("finished");
        return {false, trainer_.steps_done(), finite(), solved(), seconds(), *test};
    }

    const RunSetup& setup_;
    const RunDirectory& run_;
    const SessionHooks& hooks_;
    const SessionOptions& options_;
    Clock::time_point begin_;
    RunStatus before_;  // of earlier processes
    Trainer trainer_;
    std::string device_;
    Snapshots snapshots_;
    Evaluation validation_;
    std::int64_t steps_before_ = 0, tokens_before_ = 0, logged_at_ = -1;
    std::int64_t pace_ = 1;  // steps that are taken at once
};

std::string kind_of(const Document& row) {
    const std::vector<std::string> known = {split_name(Split::train), split_name(Split::validation),
                                            split_name(Split::test), "stage"};
    const Value* kind = find(row.root, "kind");
    const Place place{&row.source, "kind"};
    if (kind == nullptr) fail_at(place, 0, "required key is missing");
    return known[binding::read_choice(*kind, place, known)];
}

Evaluation evaluation_of(const Document& row, const RunSetup& setup) {
    Evaluation evaluation = evaluation_from(row.root, row.source);
    const RunConfig& config = setup.config;
    if (evaluation.sizes != (evaluation.split == Split::test ? config.test : config.validation.on).sizes)
        fail_at({&row.source, "sizes"}, 0, "are not those of the run's config.toml");
    const auto replicas = static_cast<std::size_t>(setup.config.replicas.count());
    if (evaluation.accuracy.front().size() != replicas)
        fail_at({&row.source, "accuracy"}, 0,
                fmt::format("is of {} replicas, the run has {}", evaluation.accuracy.front().size(), replicas));
    return evaluation;
}

}  // namespace

SessionResult train_run(const RunSetup& setup, const RunDirectory& run, const Devices& devices,
                        const SessionHooks& hooks, const SessionOptions& options) {
    RunDirectory held = run;
    held.hold();
    if (auto finished = finished_result(held, setup)) return *finished;
    devices.set_precision(setup.config.precision);
    return Session(setup, held, devices, hooks, options).train();
}

std::optional<SessionResult> finished_result(const RunDirectory& run, const RunSetup& setup) {
    const RunStatus status = load_status(run);
    const auto test = evaluation_at(run, setup, Split::test, status.step);
    const auto newest = run.newest_valid_checkpoint();
    // The last rows of both evaluations come before the last checkpoint and the manifest after it; all belong to the
    // same step.
    if (status.status != "finished" || !test || !evaluation_at(run, setup, Split::validation, status.step) || !newest ||
        newest->step != status.step)
        return std::nullopt;
    return SessionResult{false, status.step, status.alive, status.solved, status.seconds, *test};
}

std::optional<Evaluation> last_evaluation(const RunDirectory& run, const RunSetup& setup, Split split) {
    std::optional<Evaluation> last;
    run.visit_metrics([&](const Document& row) {
        const std::string kind = kind_of(row);
        if (kind == split_name(Split::validation) || kind == split_name(Split::test))
            if (Evaluation evaluation = evaluation_of(row, setup); evaluation.split == split)
                last = std::move(evaluation);
        return true;
    });
    return last;
}

}  // namespace whorl
