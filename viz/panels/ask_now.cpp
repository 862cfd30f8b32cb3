#include "viz/panels/ask_now.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/panels/series.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

std::size_t first_asked(const AskedModel& model, std::optional<std::size_t> needle) {
    if (needle) return *needle - 1;
    for (std::size_t t = 0; t < model.probability.size(); ++t)
        if (std::isfinite(model.probability[t])) return t;
    return model.probability.size();
}

void set_positions(Panel& panel, const AskNowData& data) {
    panel.x.low = 0;
    panel.x.high = static_cast<double>(data.models.at(0).probability.size()) + 1;
}

void add_needle(Panel& panel, const AskNowData& data, bool labelled) {
    if (!data.needle) return;
    panel.marks.push_back(Rule{"needle",
                               Direction::x,
                               static_cast<double>(*data.needle),
                               {Role::accent, Weight::data, 1, Dash::solid},
                               labelled ? data.needle_text : ""});
}

/// The position that is looked at, with what each model would answer there.
void add_cursor(Panel& panel, const AskNowData& data, bool labelled) {
    if (!data.cursor) return;
    const auto t = static_cast<std::size_t>(*data.cursor - 1);
    panel.marks.push_back(Rule{"cursor",
                               Direction::x,
                               static_cast<double>(*data.cursor),
                               {Role::accent, Weight::context, 1, Dash::dotted},
                               labelled ? fmt::format("token {}", *data.cursor) : ""});
    for (std::size_t i = 0; labelled && i < data.models.size(); ++i) {
        const AskedModel& model = data.models[i];
        if (t < model.probability.size() && std::isfinite(model.probability[t]))
            panel.marks.push_back(Points{"cursor." + std::to_string(i),
                                         {{static_cast<double>(*data.cursor), model.probability[t]}},
                                         {model.role},
                                         Shape::by_role,
                                         false,
                                         fmt::format("{:.2g}", model.probability[t])});
    }
}

/// Models of one kind are told apart by their dash.
Dash dash_of(const AskNowData& data, std::size_t i) {
    std::size_t same = 0;
    for (std::size_t j = 0; j < i; ++j) same += data.models[j].role == data.models[i].role;
    return same == 0 ? Dash::solid : same == 1 ? Dash::dashed : Dash::dotted;
}

/// A distance of nothing has no place on a logarithmic axis.
std::vector<Point> above_zero(std::vector<Point> points) {
    for (Point& point : points)
        if (!(point.y > 0)) point.y = std::numeric_limits<double>::quiet_NaN();
    return points;
}

Panel probability_panel(const AskNowData& data) {
    Panel panel;
    panel.id = "probability";
    set_positions(panel, data);
    panel.y.low = -0.02, panel.y.high = 1.05;
    panel.y.ticks = {{0, "0"}, {0.5, "½"}, {1, "1"}};
    panel.y.label = "P(right answer)";
    panel.marks.push_back(Rule{"chance",
                               Direction::y,
                               data.chance,
                               {Role::secondary, Weight::context, 1, Dash::dotted},
                               data.chance < 0.01 ? fmt::format("chance: 1 in {:.0f}", 1 / data.chance) : "chance"});
    add_needle(panel, data, true);
    for (std::size_t i = 0; i < data.models.size(); ++i)
        panel.marks.push_back(Line{"model." + std::to_string(i),
                                   points_of(data.models[i].probability),
                                   {data.models[i].role, Weight::chosen, 1, dash_of(data, i)},
                                   data.models[i].name});
    add_cursor(panel, data, true);
    return panel;
}

Panel distance_panel(const AskNowData& data) {
    Panel panel;
    panel.id = "distance";
    panel.title = "How far the state is from the other text's";
    panel.subtitle = "the same text with " + data.twin;
    panel.row = 1;
    set_positions(panel, data);
    panel.y.scale = Scale::log;
    panel.y.label = "‖h − h′‖ / ‖h‖, logarithmic";
    add_needle(panel, data, false);
    for (std::size_t i = 0; i < data.models.size(); ++i)
        if (!data.models[i].distance.empty())
            panel.marks.push_back(Line{"distance." + std::to_string(i),
                                       above_zero(points_of(data.models[i].distance)),
                                       {data.models[i].role, Weight::data, 1, dash_of(data, i)},
                                       data.models.size() > 1 ? data.models[i].name : ""});
    add_cursor(panel, data, false);
    return panel;
}

std::size_t tokens_after(const AskNowData& data, const AskedModel& model) {
    return model.probability.size() - first_asked(model, data.needle);
}

std::string kept_text(const AskNowData& data, const AskedModel& model) {
    const std::size_t kept = kept_for(model, data.needle);
    if (kept >= tokens_after(data, model)) return fmt::format("{} keeps it to the end", model.name);
    if (kept == 0) return fmt::format("{} does not have it", model.name);
    return fmt::format("{} keeps it {} {}", model.name, kept, kept == 1 ? "token" : "tokens");
}

std::string claim_of(const AskNowData& data) {
    std::string text;
    for (const AskedModel& model : data.models) text += (text.empty() ? "" : ", ") + kept_text(data, model);
    return text;
}

std::string sentence(const AskNowData& data, const AskedModel& model) {
    double least = 1;
    std::size_t at = 0;
    for (std::size_t t = first_asked(model, data.needle); t < model.probability.size(); ++t)
        if (model.probability[t] < least) least = model.probability[t], at = t + 1;
    std::string text = kept_text(data, model) + (model.about.empty() ? "" : " (" + model.about + ")");
    const bool asked_last = std::isfinite(model.probability.back());  // not behind an operator, say
    text += asked_last
                ? fmt::format("; the right answer has P = {:.3g} behind the last token", model.probability.back())
                : "; behind the last token nothing can be asked";
    if (at > 0) text += fmt::format(", and {:.3g} at the least, behind token {}", least, at);
    if (!model.distance.empty()) text += fmt::format("; there the states differ by {:.3g}", model.distance.back());
    return text + ".";
}

}  // namespace

std::size_t kept_for(const AskedModel& model, std::optional<std::size_t> needle) {
    const std::size_t first = first_asked(model, needle);
    std::size_t t = first;
    while (t < model.right.size() && (model.right[t] || std::isnan(model.probability[t]))) ++t;
    return t - first;
}

Figure ask_now_figure(const AskNowData& data) {
    Figure figure;
    figure.id = "ask-now";
    figure.claim = claim_of(data);
    figure.subtitle = "Probability of the right answer if asked behind each token: " + data.question;
    figure.panels.push_back(probability_panel(data));
    const bool distances = std::any_of(data.models.begin(), data.models.end(),
                                       [](const AskedModel& model) { return !model.distance.empty(); });
    if (distances) figure.panels.push_back(distance_panel(data));
    if (distances) figure.row_shares = {1.5, 1};
    figure.panels.back().x.label = "tokens read";
    for (const AskedModel& model : data.models) figure.words.push_back(sentence(data, model));
    return figure;
}

}  // namespace whorl::viz
