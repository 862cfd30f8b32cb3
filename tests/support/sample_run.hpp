// A run's files as training leaves them, made in no time, and everything that reads them: for tests and the fuzzer of
// files that somebody changed.
#pragma once

#include <string>

#include "app/run/manifest.hpp"
#include "app/run/session.hpp"
#include "app/tables/population_result.hpp"
#include "core/training/metrics.hpp"

namespace whorl::test {

inline RunSetup sample_setup() {
    return set_up(parse_toml(R"(
name = 'sample'
steps = 20
batch = 2
[task]
type = 'parity'
[model]
preset = 'mamba3'
d_model = 16
d_state = 8
[replicas]
learning_rate = [3e-3, 1e-2, 1e-3]
[curriculum]
end = 12
[validation]
every = 10
sizes = [8]
count = 16
[test]
sizes = [8, 12]
count = 16
)",
                             "sample.toml"));
}

inline Evaluation sample_evaluation(Split split, std::int64_t step) {
    Evaluation evaluation{split, step, {8}, 16, {{0.5, 0.75, 1}}, {{0.7, 0.25, 0.0625}}};
    if (split == Split::test)
        evaluation.sizes = {8, 12}, evaluation.accuracy.push_back({0.25, 0.5, 1}), evaluation.loss.push_back({1, 2, 3});
    return evaluation;
}

/// A finished run at `path`, but for its checkpoints.
inline RunDirectory sample_run(const std::string& path, const RunSetup& setup) {
    const RunDirectory run = RunDirectory::create(path, setup.toml());
    run.append_metrics(to_json_line(TrainingRow{10, 8, 160, {0.7, 0.7, 0.7}, {0.5, 0.5, 0.5}, {1, 1, 1}}));
    run.append_metrics(write_json(to_table(sample_evaluation(Split::validation, 10))));
    run.append_metrics(to_json_line(TrainingRow{20, 12, 480, {0.6, 0.3, 0.1}, {0.5, 0.7, 0.9}, {1, 1, 1}}));
    run.append_metrics(write_json(to_table(sample_evaluation(Split::validation, 20))));
    run.append_metrics(write_json(to_table(sample_evaluation(Split::test, 20))));
    save_manifest(run, setup, "CPU, 1 thread", {"finished", 20, 3, 0, 1.5, {}, 1});
    return run;
}

/// Reads config, manifest and metrics, and computes with what they say. Throws UserError for what is no run's.
inline void read_everything(const RunDirectory& run) {
    const RunSetup setup = load_setup(run);
    load_status(run);
    stored_origin(run);
    const auto validation = last_evaluation(run, setup, Split::validation),
               test = last_evaluation(run, setup, Split::test);
    if (validation) static_cast<void>(replicas_of(setup.config.replicas).at(best_replica(*validation)));
    if (test) effective_lengths(*test, 0.9);
    read_population_result(run, setup);
}

}  // namespace whorl::test
