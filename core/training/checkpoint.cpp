#include "core/training/checkpoint.hpp"

#include <algorithm>
#include <span>

#include "core/base/error.hpp"
#include "core/io/text.hpp"

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
    v.field("stopped_at", c.standing.stopped_at, required());
    v.field("stop_reason", c.standing.reason, required());
    v.field("solved", c.standing.solved, required());
    v.field("sums", c.sums, required());
    v.field("validation", c.validation);
}

std::vector<std::int64_t> stored_shape(const ParameterInfo& parameter, std::int64_t replicas) {
    std::vector<std::int64_t> shape = {replicas};
    shape.insert(shape.end(), parameter.shape.begin(), parameter.shape.end());
    return shape;
}

// Slices [R][all parameters] ⇄ tensors [parameter][R]: `stored` holds one parameter of all replicas.
class Slices {
public:
    Slices(const ParameterLayout& layout, std::int64_t replicas) : layout_(layout), replicas_(replicas) {}

    std::vector<TensorView> views(const std::string& prefix, const std::vector<float>& slices,
                                  std::vector<std::vector<float>>& memory) const {
        std::vector<TensorView> result;
        for (const ParameterInfo& parameter : layout_.parameters()) {
            std::vector<float>& tensor = memory.emplace_back();
            for (std::int64_t r = 0; r < replicas_; ++r) {
                const auto first = slices.begin() + r * layout_.slice() + parameter.offset;
                tensor.insert(tensor.end(), first, first + parameter.count);
            }
            result.push_back(tensor_view<float>(prefix + parameter.name, stored_shape(parameter, replicas_),
                                                std::span<const float>(tensor)));
        }
        return result;
    }

    std::vector<float> read(const SafetensorsFile& file, const std::string& prefix) const {
        std::vector<float> slices(static_cast<std::size_t>(replicas_ * layout_.slice()), 0.0F);
        for (const ParameterInfo& parameter : layout_.parameters()) {
            const std::string name = prefix + parameter.name;
            if (file.at(name).shape != stored_shape(parameter, replicas_))
                throw UserError(one_line(file.path() + ": " + name +
                                         " has another shape than this run's model and replicas give it"));
            const std::vector<float> tensor = file.read_as<float>(name);
            for (std::int64_t r = 0; r < replicas_; ++r)
                std::copy_n(tensor.begin() + r * parameter.count, parameter.count,
                            slices.begin() + r * layout_.slice() + parameter.offset);
        }
        return slices;
    }

private:
    const ParameterLayout& layout_;
    std::int64_t replicas_;
};

StoredState read_state(const CheckpointFiles& files) {
    StoredState state;
    read_config(parse_json(files.state_json(), files.state_path()), state);
    return state;
}

}  // namespace

void save_checkpoint(const RunDirectory& run, const LanguageModel& model, const TrainerSnapshot& snapshot,
                     const CheckpointLabel& label, const Evaluation& validation) {
    const auto replicas = static_cast<std::int64_t>(snapshot.standing.stopped_at.size());
    const Slices slices(model.layout(), replicas);
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
    content.metadata = {{"format", "whorl"},
                        {"config", to_json(model.config())},
                        {"name", label.name},
                        {"replicas", std::to_string(replicas)},
                        {"step", std::to_string(snapshot.step)},
                        {"task", label.task},
                        {"task_version", std::to_string(label.task_version)}};
    run.save_checkpoint(snapshot.step, content);
}

TrainerSnapshot load_checkpoint(const CheckpointFiles& files, const ParameterLayout& layout, std::int64_t replicas) {
    StoredState state = read_state(files);
    const auto count = static_cast<std::size_t>(replicas);
    for (const std::size_t size : {state.standing.stopped_at.size(), state.standing.reason.size(),
                                   state.standing.solved.size(), state.sums.loss.size(), state.sums.norm.size(),
                                   state.sums.correct.size(), state.sums.used.size(), state.sums.steps.size()})
        if (size != count)
            throw UserError(one_line(files.state_path() + ": is of " + std::to_string(size) + " replicas, expected " +
                                     std::to_string(count)));
    const Slices slices(layout, replicas);
    const SafetensorsFile model = SafetensorsFile::open(files.model_path()),
                          optimizer = SafetensorsFile::open(files.optimizer_path());
    PopulationValues values{slices.read(model, ""), slices.read(optimizer, "first_moment."),
                            slices.read(optimizer, "second_moment.")};
    return {state.step, state.tokens, state.stage, std::move(state.standing), std::move(state.sums), std::move(values)};
}

Evaluation stored_validation(const CheckpointFiles& files) {
    return evaluation_from(read_state(files).validation, files.state_path());
}

Standing stored_standing(const CheckpointFiles& files) {
    return read_state(files).standing;
}

}  // namespace whorl
