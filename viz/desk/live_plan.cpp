#include "viz/desk/live_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/data/shown_model.hpp"
#include "viz/desk/desk_views.hpp"
#include "viz/state/controls.hpp"

namespace whorl::viz {
namespace {

struct Range {
    double low, high;
};

Range dt_range(const ViewState& state) {
    const double a = value_of(state, "dt_min"), b = value_of(state, "dt_max");
    return {std::min(a, b), std::max(a, b)};
}

}  // namespace

LivePlan live_plan(const ViewState& state) {
    const Range dt = dt_range(state);
    const auto seeds = static_cast<std::int64_t>(value_of(state, "seeds"));
    LivePlan plan;
    plan.recipe = written(*find_control("recipe"), value_of(state, "recipe"));
    plan.until_solved = value_of(state, "until_solved") > 0;
    plan.set = {fmt::format("replicas.learning_rates=[{}]", value_of(state, "rate")),
                fmt::format("replicas.dt_ranges=[{{min={},max={}}}]", dt.low, dt.high),
                fmt::format("replicas.seeds={}", seeds),
                fmt::format("replicas.first_seed={}", static_cast<std::int64_t>(value_of(state, "seed"))),
                fmt::format("loss.label_smoothing={}", value_of(state, "smoothing"))};
    return plan;
}

std::string plan_words(const ViewState& state) {
    const Range dt = dt_range(state);
    std::string words = fmt::format("rate {:g}, Δ {:g} to {:g}, seed {:g}", value_of(state, "rate"), dt.low, dt.high,
                                    value_of(state, "seed"));
    if (!is_set(state, "smoothing")) return words;
    return words + fmt::format(", smoothed {:g}", value_of(state, "smoothing"));
}

std::string result_words(const TrainingData& data) {
    if (data.sizes.empty() || data.accuracy.empty() || data.accuracy.front().empty()) return "";
    const auto percent = [](double share) { return std::lround(100 * share); };
    return fmt::format("{} % at {}, {} % at {}", percent(data.accuracy.front().back()), data.sizes.front(),
                       percent(data.accuracy.back().back()), data.sizes.back());
}

std::vector<std::string> accuracy_lines(const TrainingData& data, std::int64_t step) {
    const auto later = std::upper_bound(data.accuracy_steps.begin(), data.accuracy_steps.end(), step);
    std::vector<std::string> lines;
    if (later == data.accuracy_steps.begin()) return lines;
    const auto row = static_cast<std::size_t>(later - data.accuracy_steps.begin()) - 1;
    for (std::size_t i = 0; i < data.sizes.size(); ++i)
        lines.push_back(fmt::format("size {}: {} % right", data.sizes[i], std::lround(100 * data.accuracy[i][row])));
    return lines;
}

bool shows_stored_training(const ViewState& state) {
    return desk_view(state.view).live && !state.models.empty() && is_run(state.models.front());
}

std::string waiting_words(const LiveSnapshot& run, const std::string& source) {
    if (!run.failure.empty()) return run.failure;
    if (run.status.empty()) return "Reading " + source + " …";
    return source + " is " + run.status + " and has not logged a loss yet. It is read again as it goes.";
}

bool same_rows(const TrainingData& one, const TrainingData& other) {
    const std::size_t rows = std::min(one.loss_steps.size(), other.loss_steps.size());
    return std::equal(one.loss_steps.begin(), one.loss_steps.begin() + static_cast<std::ptrdiff_t>(rows),
                      other.loss_steps.begin());
}

}  // namespace whorl::viz
