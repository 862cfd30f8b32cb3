#include "viz/panels/turn_panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/panels/clip.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

constexpr double kZoom = 15;  // degrees to either side of what is owed

std::vector<Point> points_of(const TurnHistory& turns, std::size_t token, std::size_t pair) {
    std::vector<Point> points;
    for (std::size_t f = 0; f < turns.steps.size(); ++f)
        points.push_back({static_cast<double>(turns.steps[f]), turns.turn[token][pair][f]});
    return points;
}

/// Quarter turns, or as many of them as a panel has room for.
std::vector<Tick> quarter_turns(const TurnHistory& turns) {
    double low = 0, high = 0;
    for (const auto& token : turns.turn)
        for (const auto& pair : token)
            for (const double turn : pair) low = std::min(low, turn), high = std::max(high, turn);
    const double every = high - low > 450 ? 180 : 90;
    std::vector<Tick> ticks;
    for (double at = every * std::ceil(low / every); at <= high; at += every) ticks.push_back({at, degrees(at, 0)});
    return ticks;
}

/// The least and the most that a token's pairs end at.
std::pair<double, double> ends(const TurnHistory& turns, std::size_t token) {
    double low = 0, high = 0;
    for (std::size_t p = 0; p < turns.pairs.size(); ++p) {
        const double end = turns.turn[token][p].back();
        low = p == 0 ? end : std::min(low, end);
        high = p == 0 ? end : std::max(high, end);
    }
    return {low, high};
}

Style turn_style(const TurnHistory& turns, Role role, std::size_t token, std::size_t pair) {
    const double strength =
        turns.pairs.size() < 2 ? 1 : 1 - 0.5 * static_cast<double>(pair) / static_cast<double>(turns.pairs.size() - 1);
    // One token solid, the others apart from it by their dashes: the hue is the model's.
    constexpr Dash dashes[] = {Dash::dashed, Dash::dotted, Dash::dash_dot};
    const Dash dash = token == most_turning(turns) ? Dash::solid : dashes[token % 3];
    return {role, pair == 0 ? Weight::chosen : Weight::context, strength, dash};
}

void add_owed(Panel& panel, const TurnHistory& turns, std::size_t token, const std::string& label) {
    if (turns.owed.empty()) return;
    panel.marks.push_back(Rule{"owed." + turns.tokens[token],
                               Direction::y,
                               turns.owed[token],
                               {Role::truth, Weight::context, 1, Dash::dashed},
                               label});
}

void add_token(Panel& panel, const TurnHistory& turns, Role role, std::size_t token) {
    for (std::size_t p = turns.pairs.size(); p-- > 0;)
        panel.marks.push_back(Line{fmt::format("turn.{}.{}", turns.tokens[token], turns.pairs[p]),
                                   points_of(turns, token, p), turn_style(turns, role, token, p),
                                   p == 0 ? "a " + turns.tokens[token] : ""});
}

Panel all_panel(const TurnHistory& turns, Role role) {
    Panel panel;
    panel.id = "turns";
    panel.title = "Turn by token";
    panel.subtitle = fmt::format("head {}, {} of its pairs; bold: pair {}", turns.head, count(turns.pairs.size()),
                                 turns.pairs.front());
    panel.y.ticks = quarter_turns(turns);
    for (std::size_t token = 0; token < turns.tokens.size(); ++token) add_owed(panel, turns, token, "");
    for (std::size_t token = 0; token < turns.tokens.size(); ++token) add_token(panel, turns, role, token);
    return panel;
}

Panel zoom_panel(const TurnHistory& turns, Role role) {
    const std::size_t token = most_turning(turns);
    Panel panel;
    panel.id = "zoom";
    panel.title = fmt::format("A {} from close by", turns.tokens[token]);
    panel.y.low = turns.owed[token] - kZoom, panel.y.high = turns.owed[token] + kZoom;
    panel.y.unit = "°";
    add_owed(panel, turns, token, turns.owed[token] == 180 ? "half a turn" : "owed");
    for (std::size_t p = turns.pairs.size(); p-- > 0;) {
        const auto points = between_heights(points_of(turns, token, p), panel.y.low, panel.y.high);
        if (points.empty()) continue;
        panel.marks.push_back(Line{fmt::format("zoom.{}", turns.pairs[p]), points, turn_style(turns, role, token, p),
                                   fmt::format("pair {}", turns.pairs[p])});
    }
    return panel;
}

}  // namespace

std::size_t most_turning(const TurnHistory& turns) {
    std::size_t most = 0;
    for (std::size_t token = 1; token < turns.tokens.size(); ++token)
        if (std::abs(turns.turn[token][0].back()) > std::abs(turns.turn[most][0].back())) most = token;
    return most;
}

std::vector<Panel> turn_panels(const TurnHistory& turns, Role role) {
    std::vector<Panel> panels = {all_panel(turns, role)};
    if (!turns.owed.empty()) panels.insert(panels.begin(), zoom_panel(turns, role));
    return panels;
}

std::vector<std::string> turn_sentences(const TurnHistory& turns) {
    std::vector<std::string> sentences;
    for (std::size_t token = 0; token < turns.tokens.size(); ++token) {
        const auto [low, high] = ends(turns, token);
        std::string text = fmt::format("In the end a {} turns pair {} of head {} by {}", turns.tokens[token],
                                       turns.pairs[0], turns.head, degrees(turns.turn[token][0].back(), 2));
        if (turns.pairs.size() > 1)
            text += fmt::format(", and the {} pairs by {} to {}", count(turns.pairs.size()), degrees(low, 2),
                                degrees(high, 2));
        if (!turns.owed.empty()) text += fmt::format("; it owes {}", degrees(turns.owed[token], 0));
        sentences.push_back(text + ".");
    }
    return sentences;
}

}  // namespace whorl::viz
