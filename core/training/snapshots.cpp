#include "core/training/snapshots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/config/config_binding.hpp"
#include "core/config/model_config_io.hpp"
#include "core/training/timeline.hpp"

namespace whorl {

std::vector<std::int64_t> snapshot_steps(std::int64_t steps, std::int64_t most) {
    std::set<std::int64_t> chosen;
    const std::int64_t even = std::min((most + 1) / 2, steps);
    for (std::int64_t i = 1; i <= even; ++i) chosen.insert(i * steps / even);
    std::vector<std::int64_t> early;
    for (const std::int64_t step : steps_due(steps))
        if (chosen.count(step) == 0) early.push_back(step);
    const auto there = static_cast<std::int64_t>(early.size());
    const std::int64_t room = std::min(most - static_cast<std::int64_t>(chosen.size()), there);
    for (std::int64_t i = 0; i < room; ++i) chosen.insert(early[static_cast<std::size_t>(i * there / room)]);
    return {chosen.begin(), chosen.end()};
}

std::int64_t snapshot_bytes(const ModelConfig& model, std::int64_t replicas, const CheckpointLabel& label) {
    constexpr std::int64_t kEntry = 256, kRest = 4096;  // of the file's header: a tensor's, numbers and alignment
    const ParameterLayout layout(model);
    std::int64_t bytes = kRest + replicas * layout.count() * static_cast<std::int64_t>(sizeof(float));
    for (const ParameterInfo& parameter : layout.parameters())
        bytes += kEntry + static_cast<std::int64_t>(parameter.name.size());
    // JSON within JSON: every quote in it takes another byte, anything unusual up to six.
    return bytes + 2 * static_cast<std::int64_t>(to_json(model).size()) +
           6 * static_cast<std::int64_t>(label.name.size() + label.task.size());
}

Snapshots::Snapshots(const RunDirectory& run, const Trainer& trainer, std::int64_t steps, std::int64_t asked,
                     CheckpointLabel label, std::int64_t most_bytes)
    : run_(run), trainer_(trainer), label_(std::move(label)) {
    if (asked == 0) return;
    const std::int64_t bytes =
        snapshot_bytes(trainer.model().config(), static_cast<std::int64_t>(trainer.replicas().size()), label_);
    const std::int64_t most = std::min(asked, most_bytes / bytes);
    steps_ = snapshot_steps(steps, most);
    const auto all = static_cast<std::int64_t>(snapshot_steps(steps, asked).size());
    if (moments() < all)
        note_ = fmt::format(
            "snapshots: {} of {} moments are kept, as each takes {:.1f} MB and all together at most "
            "{:.0f} MB",
            moments(), all, static_cast<double>(bytes) / 1e6, static_cast<double>(most_bytes) / 1e6);
}

void Snapshots::begin() {
    run_.remove_snapshots_after(trainer_.steps_done());
    if (trainer_.steps_done() == 0) follow();
}

void Snapshots::follow() {
    const std::int64_t step = trainer_.steps_done();
    const bool due = std::binary_search(steps_.begin(), steps_.end(), step);
    if (step != kept_at_ && (due || (trainer_.finished() && !steps_.empty()))) keep();
}

std::int64_t Snapshots::steps_to_next() const {
    const auto next = std::upper_bound(steps_.begin(), steps_.end(), trainer_.steps_done());
    return next == steps_.end() ? INT64_MAX : *next - trainer_.steps_done();
}

void Snapshots::keep() {
    const std::size_t replicas = trainer_.replicas().size();
    std::vector<float> slices;
    for (std::size_t r = 0; r < replicas; ++r) {
        const std::vector<float> slice = trainer_.parameters(r);
        slices.insert(slices.end(), slice.begin(), slice.end());
    }
    const LanguageModel& model = trainer_.model();
    const auto count = static_cast<std::int64_t>(replicas);
    std::vector<std::vector<float>> memory;
    memory.reserve(model.layout().parameters().size());
    kept_at_ = trainer_.steps_done();
    run_.save_snapshot(kept_at_, StoredSlices(model.layout(), count).views("", slices, memory),
                       population_metadata(model.config(), count, kept_at_, label_));
}

}  // namespace whorl
