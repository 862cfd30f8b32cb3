// The start screen: dials above their choices, what was read, and the ways on.
#include <algorithm>

#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"

namespace whorl::view {
namespace {

constexpr double kMargin = 24, kGap = 8, kButton = 36;  // units

}  // namespace

using viz::ViewState;

/// Three choices under each dial; above them all, what shows the answers.
void Explorer::start_buttons(const Pane& pane, float choices_y) {
    const viz::StartData& data = desk_.start(state_);
    const std::vector<int> choices = viz::choices_of(state_, data.dials.size());
    if (pane.placed.panels.size() < data.dials.size()) return;  // no room for any
    for (std::size_t i = 0; i < data.dials.size(); ++i) {
        const plot::Box& frame = pane.placed.panels.at(i).frame;
        const auto on_screen = [&](double x) { return pane.spot.at.x + static_cast<float>(x * pane.spot.scale); };
        const float low = on_screen(frame.low.x), all = on_screen(frame.high.x) - low;
        const float wide = stacked() ? all : (all - units(2 * kGap)) / 3;
        for (std::size_t c = 0; c < data.dials[i].landings.size(); ++c) {
            const std::string id = "landing." + std::to_string(i) + "." + std::to_string(c);
            const std::string text = viz::landing_letter(c) + "  " + data.dials[i].landings[c].text;
            const auto rank = static_cast<float>(c);
            const ImVec2 place{low + (stacked() ? 0 : rank * (wide + units(kGap))),
                               choices_y + (stacked() ? rank * units(kButton + kGap) : 0)};
            if (button(id, text, place, {wide, units(kButton)}, choices[i] == static_cast<int>(c)) && !state_.shown)
                go(viz::with_choice(state_, i, static_cast<int>(c), data.dials.size()));
        }
    }
    const auto made =
        static_cast<std::size_t>(std::count_if(choices.begin(), choices.end(), [](int choice) { return choice >= 0; }));
    const bool ready = !state_.shown && made == choices.size();
    const std::string text = state_.shown ? "Go on"
                             : ready      ? "Show"
                                          : "Show: " + std::to_string(made) + " of " + std::to_string(choices.size());
    const ImVec2 size{std::max(units(140), ImGui::CalcTextSize("Show: 0 of 3").x + units(24)), units(kButton)};
    const ImVec2 at{pane.high.x - units(kMargin) - size.x, pane.low.y + units(kMargin)};
    if (button("show", text, at, size, ready || state_.shown)) answer();
    if (!narrow() && button("again", plays() ? "Stop" : "Play again", {at.x - size.x - units(kGap), at.y}, size, false))
        play();
}

/// The ways on: three, and the one back to what was seen last.
void Explorer::start_cards(const ImVec2& low, const ImVec2& high) {
    struct Card {
        const char *id, *title, *about;
    };
    std::vector<Card> cards = {{"card.trained", "Trained", "models that learnt parity"},
                               {"card.train", "Train yours", "watch an angle lock"},
                               {"card.lessons", "Lessons", "predict, do, check"}};
    if (last_time_) cards.push_back({"card.last", "As last time", last_time_name_.c_str()});
    const float line = ImGui::GetTextLineHeight(), gap = units(6), count = static_cast<float>(cards.size());
    const float height = std::min(units(56) + line, (high.y - low.y - (count - 1) * gap) / count);
    const float width = high.x - low.x;
    float y = low.y;
    for (const Card& card : cards) {
        const bool pressed = button(card.id, "", {low.x, y}, {width, height}, false);
        const bool two = height > 2.6f * line;
        const float top = y + (height - (two ? 2.3f : 1) * line) / 2, x = low.x + units(16);
        ImDrawList& list = *ImGui::GetWindowDrawList();
        list.AddText({x, top}, packed_color(plot::color_of(theme(), plot::Role::ink)), card.title);
        const float beside = x + ImGui::CalcTextSize(card.title).x + units(12);
        const bool fits = beside + ImGui::CalcTextSize(card.about).x < low.x + width - units(32);
        if (two || fits)
            list.AddText(two ? ImVec2{x, top + 1.3f * line} : ImVec2{beside, top},
                         packed_color(plot::color_of(theme(), plot::Role::secondary)), card.about);
        const float tip = low.x + width - units(18), middle = y + height / 2, arm = units(5);
        const ImVec2 arrow[] = {{tip - arm, middle - arm}, {tip, middle}, {tip - arm, middle + arm}};
        list.AddPolyline(arrow, 3, packed_color(plot::color_of(theme(), plot::Role::accent)), 0, units(2));
        y += height + gap;
        if (!pressed) continue;
        const std::string id = card.id;
        if (id == "card.last") return go_on_as_last_time();
        if (id == "card.lessons")
            lessons_listed_ = true;
        else
            show_view(id == "card.trained" ? "dials" : "train");
    }
}

void Explorer::go_on_as_last_time() {
    ViewState next = *last_time_;
    next.theme = state_.theme;
    next.scale = state_.scale;
    if (next.view != "start") opened_ = next.models;
    go(std::move(next));
}

/// Dials above their choices; below what was read, and the ways on.
void Explorer::start_screen(const ImVec2& low, const ImVec2& high) {
    const plot::Figure* figure = newest("start", state_);
    Pane &dials = panes_["start.dials"], &tape = panes_["start.tape"];
    const std::shared_ptr<const plot::Figure>& source = panes_["start"].source;
    if (figure == nullptr) return (void)draw("start", low, high);
    if (start_of_ != source) {
        start_of_ = source;
        auto above = std::make_shared<plot::Figure>(*figure), below = std::make_shared<plot::Figure>(*figure);
        above->panels.pop_back();
        above->row_shares.clear();
        below->panels = {figure->panels.back()};
        below->panels[0].row = 0;
        below->panels[0].columns = 1;
        below->row_shares.clear();
        below->claim.clear();
        below->subtitle.clear();
        below->height = 190;
        dials.source = above;
        tape.source = below;
    }
    dials.late = tape.late = panes_["start"].late;
    const bool lesson = !state_.lesson.empty();
    const double rows = stacked() ? 3 : 1;
    const float choices = units(rows * kButton + (rows - 1) * kGap);
    const float foot = std::clamp((high.y - low.y) * 0.27f, units(150), units(240));
    const float tape_low = high.y - foot, choices_y = tape_low - choices - units(kGap);
    dials.whole = tape.whole = lesson;
    if (const Pane* pane = draw("start.dials", low, {high.x, choices_y})) {
        start_buttons(*pane, choices_y);
        veil_unless("show", {low.x, choices_y - units(2)}, {high.x, tape_low}, theme().card);
        point(*pane);
    }
    const float across = high.x - low.x, split = lesson ? high.x : low.x + across * 0.66f;
    draw("start.tape", {low.x, tape_low}, {split, high.y});
    if (!lesson)
        start_cards({split + units(kGap), tape_low + units(kGap)},
                    {high.x - units(kMargin), high.y - units(kMargin / 2)});
}

}  // namespace whorl::view
