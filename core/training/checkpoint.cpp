#include "core/training/checkpoint.hpp"

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace whorl {
namespace {

/// state.json. Doubles are written so that they read back to the same bits.
struct StoredState {
    std::int64_t step = 0, tokens = 0;
    StageProgress stage;
    Standing standing;
    IntervalSums sums;
    Value validation;  // as metrics rows have it
};

}  // namespace

// Found through argument-dependent lookup, hence in the namespace of IntervalSums.
template <class V>
void describe(V& v, IntervalSums& c) {
    v.field("loss", c.loss);
    v.field("norm", c.norm);
    v.field("correct", c.correct);
    v.field("used", c.used);
    v.field("steps", c.steps);
}

namespace {

template <class V>
void describe(V& v, StoredState& c) {
    v.field("step", c.step, at_least(0).required());
    v.field("tokens", c.tokens, at_least(0).required());
    v.field("curriculum", c.stage, required());
    v.field("stopped_at", c.standing.stopped_at, at_least(-1).required());
    v.field("stop_reason", c.standing.reason, required());
    v.field("solved", c.standing.solved, at_least(0).required());
    v.field("sums", c.sums, required());
    v.field("validation", c.validation);
}

void check_replicas(std::size_t found, std::int64_t expected, const CheckpointFiles& files) {
    if (found != static_cast<std::size_t>(expected))
        throw UserError(one_line(files.state_path() + ": is of " + std::to_string(found) + " replicas, expected " +
                                 std::to_string(expected)));
}

// What the arrays of one replica's numbers each say: where a replica stands is in all of them, or in none.
void check_standing(const StoredState& state, const CheckpointFiles& files) {
    const Standing& standing = state.standing;
    const std::size_t count = standing.stopped_at.size();
    for (const std::size_t size :
         {standing.reason.size(), standing.solved.size(), state.sums.loss.size(), state.sums.norm.size(),
          state.sums.correct.size(), state.sums.used.size(), state.sums.steps.size()})
        if (size != count)
            throw UserError(one_line(files.state_path() + ": is of " + std::to_string(count) +
                                     " replicas in one place, of " + std::to_string(size) + " in another"));
    for (std::size_t r = 0; r < count; ++r)
        if ((standing.stopped_at[r] >= 0) != (standing.reason[r] != StopReason::none))
            throw UserError(one_line(files.state_path() + ": replica " + std::to_string(r) +
                                     " has a step or a reason of its stop, but not both"));
}

StoredState read_state(const CheckpointFiles& files) {
    StoredState state;
    read_config(parse_json(files.state_json(), files.state_path()), state);
    check_standing(state, files);
    return state;
}

}  // namespace

void save_checkpoint(const RunDirectory& run, const LanguageModel& model, const TrainerSnapshot& snapshot,
                     const CheckpointLabel& label, const Evaluation& validation) {
    const auto replicas = static_cast<std::int64_t>(snapshot.standing.stopped_at.size());
    const StoredSlices slices(model.layout(), replicas);
    std::vector<std::vector<float>> memory;
    memory.reserve(3 * model.layout().parameters().size());  // views point into it
    CheckpointContent content;
    content.model = slices.views("", snapshot.values.parameters, memory);
    content.optimizer = slices.views("first_moment.", snapshot.values.first_moment, memory);
    for (TensorView& view : slices.views("second_moment.", snapshot.values.second_moment, memory))
        content.optimizer.push_back(std::move(view));
    content.state_json = to_json(StoredState{snapshot.step, snapshot.tokens, snapshot.stage, snapshot.standing,
                                             snapshot.sums, to_table(validation)},
                                 1) +
                         "\n";
    content.metadata = population_metadata(model.config(), replicas, snapshot.step, label);
    run.save_checkpoint(snapshot.step, content);
}

TrainerSnapshot load_checkpoint(const CheckpointFiles& files, const ParameterLayout& layout, std::int64_t replicas) {
    StoredState state = read_state(files);
    check_replicas(state.standing.stopped_at.size(), replicas, files);
    if (state.step != files.step)
        throw UserError(one_line(files.state_path() + ": is of step " + std::to_string(state.step) +
                                 ", the checkpoint's name says " + std::to_string(files.step)));
    const StoredSlices slices(layout, replicas);
    const SafetensorsFile model = SafetensorsFile::open(files.model_path()),
                          optimizer = SafetensorsFile::open(files.optimizer_path());
    PopulationValues values{slices.read(model, ""), slices.read(optimizer, "first_moment."),
                            slices.read(optimizer, "second_moment.")};
    return {state.step, state.tokens, state.stage, std::move(state.standing), std::move(state.sums), std::move(values)};
}

Evaluation stored_validation(const CheckpointFiles& files, std::int64_t replicas) {
    Evaluation validation = evaluation_from(read_state(files).validation, files.state_path() + ": validation");
    if (!validation.accuracy.empty()) check_replicas(validation.accuracy.front().size(), replicas, files);
    return validation;
}

Standing stored_standing(const CheckpointFiles& files, std::int64_t replicas) {
    Standing standing = read_state(files).standing;
    check_replicas(standing.stopped_at.size(), replicas, files);
    return standing;
}

}  // namespace whorl
