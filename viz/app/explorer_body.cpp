// The view: one figure, two beside one another, or a training with the state that it has reached.
#include <algorithm>
#include <cmath>

#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/desk/live_plan.hpp"
#include "viz/desk/pointing.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::view {
namespace {

using viz::ViewState;

constexpr double kMargin = 24, kGap = 8, kButton = 36, kFoot = 64;  // units
constexpr double kLeastPaper = 0.75;  // of a figure's own size: smaller paper is not laid out but shown smaller

ViewState dial_of_training(const ViewState& state) {
    ViewState dial;
    dial.view = "dials";
    dial.models = {viz::kLiveModel};
    dial.moment = state.moment;
    dial.text = viz::is_set(state, "recipe") || !state.models.empty() ? "size:8" : "01";
    return dial;
}

/// Of a model's figure the first dial alone.
std::shared_ptr<const plot::Figure> first_dial(const plot::Figure& whole) {
    plot::Figure figure = whole;
    figure.panels.resize(1);
    figure.panels[0].row = figure.panels[0].column = 0;
    figure.panels[0].rows = figure.panels[0].columns = 1;
    figure.row_shares.clear();
    figure.column_shares.clear();
    figure.claim.clear();
    figure.subtitle.clear();
    figure.width = 280;
    figure.height = 300;
    return std::make_shared<const plot::Figure>(std::move(figure));
}

/// For a projector, of which two views are what the back row can take in: the angle, and the loss.
std::shared_ptr<const plot::Figure> two_panels(const plot::Figure& whole) {
    plot::Figure figure = whole;
    const std::string first = whole.panels.front().id, last_label = whole.panels.back().x.label;
    figure.panels.erase(
        std::remove_if(figure.panels.begin(), figure.panels.end(),
                       [&](const plot::Panel& panel) { return panel.id != first && panel.id != "loss"; }),
        figure.panels.end());
    for (std::size_t i = 0; i < figure.panels.size(); ++i) figure.panels[i].row = static_cast<int>(i);
    figure.panels.back().x.label = last_label;
    figure.row_shares.clear();
    figure.height = 430;
    return std::make_shared<const plot::Figure>(std::move(figure));
}

}  // namespace

// --- figures on the screen -------------------------------------------------------------------------------------------

const plot::Figure* Explorer::newest(const std::string& slot, const ViewState& state) {
    const auto answer = worker_.answer(state, window().patience());
    Pane& pane = panes_[slot];
    pane.late = answer == nullptr;
    if (pane.late) {
        ask_for_frames(1);
    } else {
        pane.source = answer->figure;
        pane.failure = answer->failure;
    }
    return pane.source.get();
}

/// Paper that had to grow is shown smaller, so that all of it is seen; what is left beside it goes to its width.
void Explorer::lay_out(Pane& pane, const ImVec2& low, const ImVec2& high) {
    const double across = (high.x - low.x) / scale(), down = (high.y - low.y) / scale();
    const bool same = pane.laid_out == pane.source && pane.low.x == low.x && pane.low.y == low.y &&
                      pane.high.x == high.x && pane.high.y == high.y && pane.theme == &theme() && pane.scale == scale();
    if (same) return;
    pane.laid_out = pane.source;
    pane.low = low;
    pane.high = high;
    pane.theme = &theme();
    pane.scale = scale();
    pane.figure = *pane.source;
    plot::Figure& figure = pane.figure;
    const double paper = theme().paper, least = pane.whole ? kLeastPaper : 0;
    figure.width = std::max(across / paper, least * pane.source->width);
    figure.height = std::max(down / paper, least * pane.source->height);
    pane.placed = plot::place(figure, theme());
    const auto fit_of = [&] {
        return std::min({1.0, across / pane.placed.drawing.width, down / pane.placed.drawing.height});
    };
    double fit = fit_of();
    if (fit < 1) {
        figure.width = across / (paper * fit);
        figure.height = down / (paper * fit);
        pane.placed = plot::place(figure, theme());
        fit = fit_of();
    }
    pane.spot = {low, scale() * fit};
}

std::string Explorer::why_no_figure() const {
    if (viz::desk_view(state_.view).live) return "";
    const auto pane = panes_.find(state_.view == "start" ? "start" : "a");
    return pane == panes_.end() ? "" : pane->second.failure;
}

Pane* Explorer::draw(const std::string& slot, const ImVec2& low, const ImVec2& high) {
    Pane& pane = panes_[slot];
    if (pane.source == nullptr) {
        paragraph(pane.late ? "A moment …" : pane.failure, low.x + units(kMargin), low.y + units(kMargin),
                  high.x - low.x - units(2 * kMargin), plot::Role::ink);
        return nullptr;
    }
    lay_out(pane, low, high);
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.PushClipRect(low, high, true);
    Brush on_card = brush(list);
    on_card.ground = false;  // the window's own, once for all: where a processor draws, filling costs most
    paint(pane.placed.drawing, pane.spot, on_card);
    if (pane.late) veil(low, high, 0.6, theme().card);
    veil(pane);
    list.PopClipRect();
    return &pane;
}

void Explorer::forget_panes() {
    panes_.clear();
    start_of_.reset();
    live_of_.reset();
    train_of_.reset();
}

void Explorer::newest_in_two_panels() {
    newest("train", state_);
    Pane &whole = panes_["train"], &shown = panes_["a"];
    if (train_of_ != whole.source) {
        train_of_ = whole.source;
        shown.source = whole.source == nullptr ? nullptr : two_panels(*whole.source);
    }
    shown.late = whole.late;
    shown.failure = whole.failure;
}

// --- two beside one another ------------------------------------------------------------------------------------------

void Explorer::panes(const ImVec2& low, const ImVec2& high) {
    if (state_.beside.empty() || state_.difference) {
        panes_["a"].whole = !state_.lesson.empty();
        if (viz::desk_view(state_.view).live && theme().text > 16)
            newest_in_two_panels();
        else
            newest("a", state_);
        if (const Pane* pane = draw("a", low, high)) point(*pane);
        return;
    }
    const float middle = (low.x + high.x) / 2;
    panes_["a"].whole = panes_["b"].whole = true;
    newest("a", state_);
    newest("b", viz::beside_of(state_));
    const Pane* a = draw("a", low, {middle, high.y});
    draw("b", {middle, low.y}, high);
    ImGui::GetWindowDrawList()->AddLine({middle, low.y}, {middle, high.y}, packed_color(theme().grid));
    paragraph("A", middle - units(22), low.y + units(8), units(20), plot::Role::accent);
    paragraph("B", high.x - units(22), low.y + units(8), units(20), plot::Role::accent);
    if (a != nullptr) point(*a);
}

// --- all together ----------------------------------------------------------------------------------------------------

/// At the right, the state that the training has reached at the step that is looked at.
void Explorer::dial_beside(const ImVec2& low, const ImVec2& high) {
    if (desk_.moments() == nullptr) return;
    newest("live", dial_of_training(state_));
    Pane &whole = panes_["live"], &dial = panes_["live.dial"];
    if (whole.source == nullptr) return;
    if (live_of_ != whole.source) {
        live_of_ = whole.source;
        dial.source = first_dial(*whole.source);
    }
    dial.late = whole.late;
    dial.whole = true;
    const float foot = std::min(high.y, low.y + units(theme().text > 16 ? 420 : 320));
    draw("live.dial", low, {high.x, foot});
    const float x = low.x + units(kMargin), width = high.x - x - units(kMargin);
    const std::int64_t step = desk_.moments()->of(state_.moment).step;
    float y = paragraph("At step " + std::to_string(step), x, foot, width, plot::Role::accent);
    y = paragraph(plot::plain_text(whole.source->claim), x, y, width, plot::Role::ink);
    for (const std::string& line : viz::accuracy_lines(*desk_.training(), step))
        if (y + ImGui::GetTextLineHeight() < high.y) y = paragraph(line, x, y, width, plot::Role::secondary);
}

void Explorer::body(const ImVec2& low, const ImVec2& high) {
    if (state_.view == "start") {
        start_screen(low, high);
    } else {
        const bool live = viz::desk_view(state_.view).live, reads = !read().tokens.empty();
        const float foot = high.y - units(live ? kFoot + 16 : reads ? kFoot : 0);
        ImGui::GetWindowDrawList()->AddRectFilled({low.x, foot}, high, packed_color(theme().ground));
        if (live) {
            const auto now = training_now();
            const bool any = live_ != nullptr || now->data != nullptr || desk_.moments() != nullptr;
            if (!any && followed_ != nullptr)
                paragraph(viz::waiting_words(*now, followed_->source()), low.x + units(kMargin), low.y + units(kMargin),
                          high.x - low.x - units(2 * kMargin), plot::Role::ink);
            else if (!any)
                before_training(low, high.x);
            const float right =
                desk_.moments() == nullptr || high.x - low.x < units(900) ? high.x : high.x - units(300);
            if (any) panes(low, {right, foot});
            if (right < high.x) dial_beside({right, low.y}, {high.x, foot});
            training_foot({low.x, foot}, high);
        } else {
            panes(low, {high.x, foot});
            tape_buttons({low.x, foot}, high);
            veil_unless("cursor", {low.x, foot + units(1)}, high, theme().ground);
        }
    }
    if (note_.empty()) return;
    const ImVec2 size = ImGui::CalcTextSize(note_.c_str());
    // In the middle of the foot, or at the top, where no numbers stand.
    const ImVec2 at{(low.x + high.x - size.x) / 2,
                    state_.view == "start" ? low.y + units(14) : high.y - units(kFoot / 2) - size.y / 2};
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled({at.x - units(10), at.y - units(6)}, {at.x + size.x + units(10), at.y + size.y + units(6)},
                       packed_color(theme().card), units(6));
    list.AddRect({at.x - units(10), at.y - units(6)}, {at.x + size.x + units(10), at.y + size.y + units(6)},
                 packed_color(theme().axis), units(6));
    say(note_, at);
}

void Explorer::tape_buttons(const ImVec2& low, const ImVec2& high) {
    const viz::ReadText text = read();
    if (text.tokens.empty()) return;
    const float y = low.y + (high.y - low.y - units(kButton)) / 2,
                line = (units(kButton) - ImGui::GetTextLineHeight()) / 2;
    float x = low.x + units(kMargin);
    const auto next = [&](const char* id, const char* words, bool chosen = false) {
        const float wide = std::max(units(44), ImGui::CalcTextSize(words).x + units(24));
        const bool pressed = button(id, words, {x, y}, {wide, units(kButton)}, chosen);
        x += wide + units(kGap);
        return pressed;
    };
    if (next("play", plays() ? "Stop" : "Play")) play();
    if (next("back", "<")) move_cursor(-1);
    if (next("forward", ">")) move_cursor(1);
    const std::string place = "token " + std::to_string(text.cursor) + " of " + std::to_string(text.tokens.size());
    say(place, {x + units(8), y + line});
    x += ImGui::CalcTextSize(place.c_str()).x + units(32);
    std::string names;
    for (const std::string& source : models_in_bar_ ? std::vector<std::string>{} : desk_.sources(state_))
        names += (names.empty() ? "" : ", ") + source;
    const float wide = ImGui::CalcTextSize(names.c_str()).x + units(24), right = high.x - units(kMargin) - wide;
    if (!names.empty() && right > x && button("model", names, {right, y}, {wide, units(kButton)}, false)) next_model();
    if (state_.view != "dials" || x + units(180) > right) return;
    constexpr const char* beats[] = {"all of the step", "1 kept", "2 added", "3 read"};
    if (next("beat", beats[state_.beat], state_.beat > 0)) next_beat();
}

}  // namespace whorl::view
