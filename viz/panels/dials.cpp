#include "viz/panels/dials.hpp"

#include <fmt/format.h>

#include <cmath>

#include "viz/panels/degrees.hpp"
#include "viz/panels/frames.hpp"

namespace whorl::viz {
namespace {

using namespace plot;

constexpr std::size_t kMostOthers = 8;

Panel titled_dial(const Dial& dial, int column) {
    Panel panel = dial_panel(dial);
    panel.id = "dial." + std::to_string(column);
    panel.title = "**" + dial.name + "** " + verb_text(dial);
    panel.subtitle = dial.about;
    panel.column = column;
    return panel;
}

/// "Mamba-3 turns, Mamba-2 slides, Gated DeltaNet flips".
std::string verbs(const std::vector<Dial>& dials) {
    std::string text;
    for (const Dial& dial : dials) {
        const std::string verb = verb_text(dial);
        text += (text.empty() ? "" : ", ") + dial.name + " " + verb.substr(0, verb.find(' '));
    }
    return text;
}

std::string joined(const std::vector<std::string>& tokens, std::size_t most) {
    std::string text;
    const std::size_t first = tokens.size() > most ? tokens.size() - most : 0;
    for (std::size_t t = first; t < tokens.size(); ++t) text += (text.empty() ? "" : " ") + tokens[t];
    return (first > 0 ? "… " : "") + text;
}

void add_tape(Figure& figure, const Tape& tape, int row, int columns) {
    Panel panel = tape_panel(tape);
    panel.row = row;
    panel.columns = columns;
    figure.panels.push_back(std::move(panel));
}

Figure side_by_side(const DialsData& data) {
    Figure figure;
    const int count = static_cast<int>(data.dials.size());
    figure.claim = verbs(data.dials);
    figure.subtitle = "The state's last steps after reading " + joined(data.dials[0].tokens, 12);
    for (int i = 0; i < count; ++i) figure.panels.push_back(titled_dial(data.dials[static_cast<std::size_t>(i)], i));
    add_tape(figure, data.tape, 1, count);
    figure.row_shares = {2.2, 1};
    figure.width = 320 * count;
    return figure;
}

void add_others(Figure& figure, const DialsData& data, int columns) {
    const std::size_t count = std::min(data.others.size(), kMostOthers);
    for (std::size_t i = 0; i < count; ++i) {
        Panel panel = dial_panel(data.others[i].dial, true);
        panel.id = "other." + std::to_string(i);
        panel.subtitle = data.others[i].title;
        panel.row = 1;
        panel.column = static_cast<int>(i) * columns / static_cast<int>(kMostOthers);
        panel.columns = columns / static_cast<int>(kMostOthers);
        figure.panels.push_back(std::move(panel));
    }
}

Figure in_both_frames(const DialsData& data) {
    constexpr int kColumns = 24;
    const Dial& dial = data.dials[0];
    const std::size_t t = chosen_step(dial);
    const auto& step = dial.steps.steps[t];
    const bool turning = !dial.steps.phase.empty();
    Figure figure;
    figure.claim = verb_of(step) == Verb::turns ? fmt::format("A {} turns the state by {:.1f}° about its hinge",
                                                              dial.tokens[t], std::abs(step.turn) * kDegrees)
                                                : dial.name + " " + verb_text(dial);
    figure.subtitle = dial.about + ", after reading " + joined(dial.tokens, 12);
    std::vector<Panel> panels = {dial_panel(dial), still_frame_panel(dial)};
    panels[0].id = "dial";
    panels[0].title = dial.name + " " + verb_text(dial);
    panels[1].title = turning ? "The frame that stands still" : "The step, piece by piece";
    panels[1].subtitle = fmt::format("what is read: {:.3g}", readout_of(dial));
    if (turning) {
        panels.push_back(turning_frame_panel(dial));
        panels[2].title = "The frame that turns along";
        panels[2].subtitle = fmt::format("what is read: {:.3g}", readout_of(dial));
    }
    const int each = kColumns / static_cast<int>(panels.size());
    for (std::size_t i = 0; i < panels.size(); ++i) {
        panels[i].column = static_cast<int>(i) * each;
        panels[i].columns = each;
        figure.panels.push_back(std::move(panels[i]));
    }
    if (!data.others.empty()) add_others(figure, data, kColumns);
    add_tape(figure, data.tape, data.others.empty() ? 1 : 2, kColumns);
    figure.row_shares = data.others.empty() ? std::vector{2.4, 1.0} : std::vector{2.4, 1.1, 0.8};
    figure.height = data.others.empty() ? 540 : 640;
    return figure;
}

}  // namespace

Figure dials_figure(const DialsData& data) {
    Figure figure = data.dials.size() == 1 ? in_both_frames(data) : side_by_side(data);
    figure.id = "dials";
    for (const Dial& dial : data.dials) {
        figure.words.push_back(step_sentence(dial));
        if (!dial.about.empty()) figure.words.back() += " (" + dial.about + ")";
    }
    return figure;
}

}  // namespace whorl::viz
