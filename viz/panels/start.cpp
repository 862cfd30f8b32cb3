#include "viz/panels/start.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace whorl::viz {
namespace {

using namespace plot;
using trace::PlanePoint;

PlanePoint scaled(double by, PlanePoint u) {
    return {by * u.x, by * u.y};
}

/// Markers at the landing points, in the accent where chosen; the answer, once shown, is the state's own mark.
void add_landings(Panel& panel, const StartDial& dial, int predicted) {
    for (std::size_t i = 0; i < dial.landings.size(); ++i) {
        const bool chosen = static_cast<int>(i) == predicted;
        const PlanePoint at = dial.landings[i].at;
        panel.marks.push_back(Points{"landing." + std::to_string(i),
                                     {{at.x, at.y}},
                                     {chosen ? Role::accent : Role::secondary, Weight::chosen},
                                     Shape::disc,
                                     !chosen,
                                     "**" + landing_letter(i) + "**",
                                     {1.6}});
    }
}

Panel asked_panel(const StartDial& dial, int predicted, bool shown) {
    Panel panel = dial_panel(shown ? dial.after : dial.before);
    const Panel other = dial_panel(shown ? dial.before : dial.after);
    if (!shown) add_landings(panel, dial, predicted);
    // The same view before and after, so that the eye can follow.
    for (const auto& [own, its] : {std::pair{&panel.x, &other.x}, std::pair{&panel.y, &other.y}}) {
        own->low = std::min(own->low, its->low);
        own->high = std::max(own->high, its->high);
    }
    const double room = 0.12 * (panel.x.high - panel.x.low);
    for (const Landing& landing : dial.landings) {
        panel.x.low = std::min(panel.x.low, landing.at.x - room),
        panel.x.high = std::max(panel.x.high, landing.at.x + room);
        panel.y.low = std::min(panel.y.low, landing.at.y - room),
        panel.y.high = std::max(panel.y.high, landing.at.y + room);
    }
    panel.title = "**" + dial.before.name + "**" + (shown ? " " + verb_text(dial.after) : "");
    panel.subtitle = dial.before.about;
    if (shown && predicted >= 0)
        panel.subtitle = static_cast<std::size_t>(predicted) == dial.right
                             ? "✓ " + landing_letter(dial.right) + ": " + dial.landings[dial.right].text
                             : "✗ not " + landing_letter(static_cast<std::size_t>(predicted)) + " but " +
                                   landing_letter(dial.right) + ": " + dial.landings[dial.right].text;
    return panel;
}

std::string read_text(const std::vector<std::string>& tokens) {
    std::string text;
    for (const std::string& token : tokens) text += (text.empty() ? "" : " ") + token;
    return text;
}

}  // namespace

std::string landing_letter(std::size_t which) {
    return std::string(1, static_cast<char>('A' + which));
}

std::vector<Landing> landings_of(const trace::StepPieces& step, PlanePoint from) {
    const auto hinge = hinge_of(step);
    if (!hinge) return {{"stays", from}, {"back to 0", {}}, {"twice as far", scaled(2, from)}};
    const PlanePoint arm = from - hinge->at;
    switch (verb_of(step)) {
        case Verb::turns:
            return {{"stays", from},
                    {"half a turn", hinge->at - arm},
                    {"a quarter", hinge->at + PlanePoint{-arm.y, arm.x}}};
        case Verb::flips:
            return {{"stays", from}, {"other side", hinge->at - arm}, {"on the mirror", hinge->at}};
        case Verb::slides:
        case Verb::rests:
            break;
    }
    return {
        {"back to 0", {}}, {"a bit closer", hinge->at + scaled(step.eigenvalue, arm)}, {"past it", hinge->at - arm}};
}

Figure start_figure(const StartData& data, const std::vector<int>& predicted, bool shown) {
    Figure figure;
    figure.id = "start";
    figure.claim = shown ? "One picture, three verbs" : fmt::format("What does each do at the next {}?", data.next);
    figure.subtitle = fmt::format("All have just read {}.{}",
                                  read_text(shown ? data.dials.at(0).after.tokens : data.dials.at(0).before.tokens),
                                  shown ? "" : " Pick a landing point under each dial, then look.");
    const int count = static_cast<int>(data.dials.size());
    for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        Panel panel = asked_panel(data.dials[at], at < predicted.size() ? predicted[at] : -1, shown);
        panel.id = "dial." + std::to_string(i);
        panel.column = i;
        figure.panels.push_back(std::move(panel));
    }
    Panel tape = tape_panel(shown ? data.after : data.before);
    tape.title = data.asks;
    tape.row = 1;
    tape.columns = count;
    figure.panels.push_back(std::move(tape));
    figure.row_shares = {2.2, 1};
    for (const StartDial& dial : data.dials)
        figure.words.push_back(shown ? step_sentence(dial.after)
                                     : fmt::format("{}: A {}, B {} or C {}?", dial.before.name, dial.landings[0].text,
                                                   dial.landings[1].text, dial.landings[2].text));
    return figure;
}

}  // namespace whorl::viz
