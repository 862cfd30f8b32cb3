#include "viz/panels/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "viz/panels/turn_panels.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

constexpr Point kBreak = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
constexpr std::int64_t kFewestFrames = 3;  // that a claim about what moves takes
constexpr double kLearnt = 0.95;
constexpr double kFlat = 0.05;  // of the fall
constexpr double kStill = 1;    // degrees, for an angle to be flat as well

std::vector<Point> points_of(const std::vector<std::int64_t>& steps, const std::vector<double>& values) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < steps.size(); ++i)
        points.push_back(std::isfinite(values[i]) ? Point{static_cast<double>(steps[i]), values[i]} : kBreak);
    return points;
}

// --- panels ----------------------------------------------------------------------------------------------------------

double last_step(const TrainingData& data) {
    std::int64_t last = std::max(data.steps, data.loss_steps.back());
    if (!data.accuracy_steps.empty()) last = std::max(last, data.accuracy_steps.back());
    if (data.turns && !data.turns->steps.empty()) last = std::max(last, data.turns->steps.back());
    return static_cast<double>(last);
}

Panel over_steps(const TrainingData& data, const std::string& id) {
    Panel panel;
    panel.id = id;
    panel.x.low = 0;
    panel.x.high = last_step(data);
    return panel;
}

Panel loss_panel(const TrainingData& data) {
    Panel panel = over_steps(data, "loss");
    panel.title = "Loss";
    panel.subtitle = data.loss.size() > 1 ? fmt::format("{} replicas; bold: {}", data.loss.size(), data.chosen_name)
                                          : data.chosen_name;
    panel.y.low = 0;
    if (data.least_loss > 0) panel.subtitle += "; dashed: the least that smoothed targets allow";
    if (data.least_loss > 0)
        panel.marks.push_back(
            Rule{"least", Direction::y, data.least_loss, {Role::truth, Weight::context, 1, Dash::dashed}});
    for (std::size_t r = 0; r < data.loss.size(); ++r)
        if (r != data.chosen)
            panel.marks.push_back(Line{"replica." + std::to_string(r),
                                       points_of(data.loss_steps, data.loss[r]),
                                       {data.role, Weight::context, 0.45, Dash::solid}});
    for (std::size_t i = 0; i < data.earlier.size(); ++i) {
        std::vector<double> losses = data.earlier[i];
        losses.resize(data.loss_steps.size(), std::numeric_limits<double>::quiet_NaN());
        panel.marks.push_back(Line{"earlier." + std::to_string(i),
                                   points_of(data.loss_steps, losses),
                                   {Role::secondary, Weight::context, 0.5, Dash::dashed}});
    }
    panel.marks.push_back(Line{
        "chosen", points_of(data.loss_steps, data.loss[data.chosen]), {data.role, Weight::chosen, 1, Dash::solid}, ""});
    if (data.loss_steps.size() == 1)  // a line of one point is nothing to be seen
        for (std::size_t r = 0; r < data.loss.size(); ++r)
            if (std::isfinite(data.loss[r][0]))
                panel.marks.push_back(Points{"logged." + std::to_string(r),
                                             points_of(data.loss_steps, data.loss[r]),
                                             {data.role, Weight::data, r == data.chosen ? 1 : 0.45}});
    return panel;
}

Dash dash_of_size(std::size_t which) {
    constexpr Dash dashes[] = {Dash::solid, Dash::dashed, Dash::dash_dot, Dash::dotted};
    return dashes[std::min<std::size_t>(which, 3)];
}

Panel accuracy_panel(const TrainingData& data) {
    Panel panel = over_steps(data, "accuracy");
    panel.title = "Accuracy by size";
    panel.subtitle = data.chosen_name + "; dotted: guessing, below it wrong by rule";
    panel.y.low = 0, panel.y.high = 1.02;
    panel.y.ticks = {{0, "0 %"}, {0.5, "50 %"}, {1, "100 %"}};
    panel.marks.push_back(
        Rule{"chance", Direction::y, data.chance, {Role::secondary, Weight::context, 1, Dash::dotted}, ""});
    for (std::size_t i = 0; i < data.sizes.size(); ++i) {
        const double strength =
            data.sizes.size() < 2 ? 1 : 1 - 0.5 * static_cast<double>(i) / static_cast<double>(data.sizes.size() - 1);
        const std::vector<Point> points = points_of(data.accuracy_steps, data.accuracy[i]);
        const std::string label = fmt::format("size {}", data.sizes[i]);
        const std::string id = fmt::format("size.{}", data.sizes[i]);
        if (points.size() == 1)
            panel.marks.push_back(
                Points{id, points, {data.role, Weight::data, strength}, Shape::by_role, false, label});
        else
            panel.marks.push_back(Line{
                id, points, {data.role, i == 0 ? Weight::chosen : Weight::data, strength, dash_of_size(i)}, label});
    }
    return panel;
}

// --- what it says ----------------------------------------------------------------------------------------------------

/// The widest range that a pair's turn at a token goes through from a step on, degrees.
double wander(const TurnHistory& turns, std::size_t token, std::int64_t from) {
    double widest = 0;
    for (const auto& pair : turns.turn[token]) {
        double low = std::numeric_limits<double>::infinity(), high = -low;
        for (std::size_t f = 0; f < turns.steps.size(); ++f)
            if (turns.steps[f] >= from) low = std::min(low, pair[f]), high = std::max(high, pair[f]);
        widest = std::max(widest, high - low);
    }
    return widest;
}

std::int64_t frames_from(const TurnHistory& turns, std::int64_t step) {
    return std::count_if(turns.steps.begin(), turns.steps.end(), [&](std::int64_t one) { return one >= step; });
}

std::string turns_claim(const TrainingData& data) {
    const std::int64_t flat = flat_from(data);
    if (!data.turns || flat < 0 || frames_from(*data.turns, flat) < kFewestFrames) return "";
    std::size_t token = most_turning(*data.turns);
    if (wander(*data.turns, token, flat) < kStill)
        for (std::size_t other = 0; other < data.turns->tokens.size(); ++other)
            if (wander(*data.turns, other, flat) > wander(*data.turns, token, flat)) token = other;
    const double range = wander(*data.turns, token, flat);
    const std::string& text = data.turns->tokens[token];
    if (range < kStill) return fmt::format("The loss is flat from step {} on, and so are the angles", flat);
    return fmt::format("After the loss is flat, at step {}, a {} still moves by {:.0f}°", flat, text, range);
}

/// The sizes at the ends, which are enough for one sentence.
std::vector<std::size_t> end_sizes(const TrainingData& data) {
    return data.sizes.size() < 2 ? std::vector<std::size_t>{0} : std::vector<std::size_t>{0, data.sizes.size() - 1};
}

std::string final_claim(const TrainingData& data) {
    std::vector<std::string> parts;
    for (const std::size_t i : end_sizes(data))
        parts.push_back(fmt::format("{} at size {}", percent(data.accuracy[i].back()), data.sizes[i]));
    return fmt::format("{} ends with {} right", capital(data.chosen_name), list(parts));
}

std::string sizes_claim(const TrainingData& data) {
    if (data.accuracy_steps.size() == 1) return final_claim(data);
    std::vector<std::string> parts;
    for (const std::size_t i : end_sizes(data)) {
        const std::int64_t at = learnt_at(data, i);
        parts.push_back(at < 0 ? fmt::format("size {} is not learnt{}", data.sizes[i],
                                             data.steps > data.loss_steps.back() ? " yet" : "")
                               : fmt::format("size {} is learnt by step {}", data.sizes[i], at));
    }
    return capital(list(parts));
}

std::string loss_claim(const TrainingData& data) {
    std::vector<double> last;
    for (const auto& replica : data.loss)
        if (std::isfinite(replica.back())) last.push_back(replica.back());
    if (last.empty()) return "No replica's loss stayed finite";
    const auto [low, high] = std::minmax_element(last.begin(), last.end());
    if (last.size() == 1) return fmt::format("The loss ends at {:.3g}", *low);
    return fmt::format("The losses of {} replicas end between {:.3g} and {:.3g}", last.size(), *low, *high);
}

std::string claim_of(const TrainingData& data) {
    const std::string turns = turns_claim(data);
    if (!turns.empty()) return turns;
    return data.sizes.empty() ? loss_claim(data) : sizes_claim(data);
}

std::vector<std::string> words_of(const TrainingData& data) {
    std::vector<std::string> words = {loss_claim(data) + fmt::format(" at step {}.", data.loss_steps.back())};
    const std::int64_t flat = flat_from(data);
    if (flat >= 0) words.push_back(fmt::format("That of {} is flat from step {} on.", data.chosen_name, flat));
    for (std::size_t i = 0; i < data.sizes.size(); ++i) {
        const std::int64_t at = learnt_at(data, i);
        std::string text = fmt::format("Size {}: {} right in the end", data.sizes[i], percent(data.accuracy[i].back()));
        if (data.accuracy_steps.size() > 1)
            text += at < 0 ? ", not 95 % to the end" : fmt::format(", 95 % or more from step {} on", at);
        words.push_back(text + ".");
    }
    if (data.turns)
        for (const std::string& sentence : turn_sentences(*data.turns)) words.push_back(sentence);
    return words;
}

void check_data(const TrainingData& data) {
    if (data.loss_steps.empty() || data.chosen >= data.loss.size())
        throw UserError("training: nothing was logged yet, there is no loss to draw");
}

}  // namespace

std::int64_t flat_from(const TrainingData& data) {
    const std::vector<double>& loss = data.loss[data.chosen];
    if (!std::isfinite(loss.back())) return -1;
    const double floor = std::max(data.least_loss, 0.0), fall = loss.front() - floor;
    // The last row that is too high; the loss is flat behind it. Short spikes count: they are no flat loss.
    std::size_t row = loss.size();
    while (row > 0 && loss[row - 1] <= floor + kFlat * fall) --row;
    return row == loss.size() ? -1 : data.loss_steps[row];
}

std::int64_t learnt_at(const TrainingData& data, std::size_t which) {
    const std::vector<double>& accuracy = data.accuracy[which];
    std::size_t row = accuracy.size();
    while (row > 0 && accuracy[row - 1] >= kLearnt) --row;
    return row == accuracy.size() ? -1 : data.accuracy_steps[row];
}

Figure training_figure(const TrainingData& data) {
    check_data(data);
    Figure figure;
    figure.id = "training";
    figure.claim = claim_of(data);
    figure.subtitle = data.name + (data.about.empty() ? "" : ", " + data.about);
    if (!data.note.empty()) figure.subtitle += "; " + data.note;
    if (data.turns)
        for (Panel& panel : turn_panels(*data.turns, data.role)) {
            panel.x.low = 0, panel.x.high = last_step(data);
            figure.panels.push_back(std::move(panel));
        }
    figure.panels.push_back(loss_panel(data));
    if (!data.sizes.empty()) figure.panels.push_back(accuracy_panel(data));
    if (data.moment)
        for (std::size_t i = 0; i < figure.panels.size(); ++i)
            figure.panels[i].marks.push_back(Rule{"moment",
                                                  Direction::x,
                                                  static_cast<double>(*data.moment),
                                                  {Role::accent, Weight::context},
                                                  i == 0 ? fmt::format("step {}", *data.moment) : ""});
    figure.panels.back().x.label = "training step";
    for (std::size_t i = 0; i < figure.panels.size(); ++i) figure.panels[i].row = static_cast<int>(i);
    figure.height = 100 + 165 * static_cast<double>(figure.panels.size());
    figure.words = words_of(data);
    return figure;
}

}  // namespace whorl::viz
