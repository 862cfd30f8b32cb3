#include "app/reproduce/protocol.hpp"

#include <fmt/format.h>

namespace whorl {
namespace {

std::string growth_text(const Curriculum& curriculum) {
    if (curriculum.shape == CurriculumShape::fixed) return "";
    if (curriculum.shape == CurriculumShape::linear)
        return fmt::format(" (growing from {} over {:.0f} % of the steps)", curriculum.start, 100 * curriculum.growth);
    return fmt::format(" (from {} in {} stages{})", curriculum.smallest(), curriculum.stages.size(),
                       curriculum.reacts() ? fmt::format(", each until the median replica is right with {:g} %",
                                                         100 * curriculum.advance_at)
                                           : "");
}

// Training examples that ask for more than the last answer are another protocol, and a reader should see it.
std::string supervision_text(const RunConfig& config) {
    const Value* supervise = find(config.task, "supervise");
    const auto* word = supervise ? std::get_if<std::string>(&supervise->data) : nullptr;
    return word && *word != "last" ? fmt::format("; supervised: {}", *word) : "";
}

std::string early_text(const EarlyStop& stop) {
    if (!stop.on()) return "";
    return fmt::format(
        "; a replica stops when it is right with {:g} % at every validated size, {} validations in a row",
        100 * stop.accuracy, stop.validations);
}

std::string list_text(const std::vector<double>& values) {
    std::string text;
    for (const double value : values) text += fmt::format("{}{:g}", text.empty() ? "" : ", ", value);
    return text;
}

std::string range_text(const std::vector<DtRange>& ranges) {
    std::string text;
    for (const DtRange& range : ranges)
        text += (text.empty() ? "" : ", ") +
                (range.max == 0 ? std::string("as released") : fmt::format("{:g}..{:g}", range.min, range.max));
    return text;
}

}  // namespace

std::string protocol_text(const RunConfig& config, std::int64_t test_size) {
    const TrainingConfig& training = config.training;
    return fmt::format(
        "trained at sizes <= {}{}, tested at {} on {} examples a size; {} steps of {} sequences{}{}; AdamW ({:g}, "
        "{:g}), decay {}, clip {:g}, label smoothing {:g}; {} layer(s); learning rates {} x {} seed(s); Δ at the start "
        "{}; "
        "determinism {}",
        training.curriculum.largest(), growth_text(training.curriculum), test_size, config.test.count, training.steps,
        training.batch, supervision_text(config), early_text(training.early_stop), training.optimizer.beta1,
        training.optimizer.beta2, list_text(config.replicas.weight_decays), training.optimizer.clip,
        training.loss.label_smoothing, config.model.config->n_layer, list_text(config.replicas.learning_rates),
        config.replicas.seeds, range_text(config.replicas.dt_ranges), name_of(*config.determinism));
}

}  // namespace whorl
