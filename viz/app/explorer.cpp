#include "viz/app/explorer.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/app/paint_imgui.hpp"
#include "viz/paint/save.hpp"
#include "viz/plot/text_runs.hpp"

namespace whorl::view {
namespace {

using viz::ViewState;

constexpr double kBar = 48;            // units
constexpr double kTokenSeconds = 0.7;  // that a token stays while the tape plays
constexpr std::size_t kMostUndo = 500;

ImU32 packed(const plot::Color& color) {
    return IM_COL32(color.red, color.green, color.blue, static_cast<int>(std::lround(255 * color.opacity)));
}
ImVec4 vector_of(const plot::Color& color) {
    return ImGui::ColorConvertU32ToFloat4(packed(color));
}
plot::Color faded(plot::Color color, double opacity) {
    color.opacity = opacity;
    return color;
}

}  // namespace

Explorer::Explorer(Window& window, ViewState state)
    : App(window),
      state_(std::move(state)),
      opened_(state_.view == "start" || state_.view == "overview" ? std::vector<std::string>{} : state_.models),
      results_(state_.view == "overview" ? state_.models : std::vector<std::string>{}),
      worker_([&window] { window.wake(); }) {}

std::optional<plot::Figure> Explorer::figure() {
    try {
        return desk_.figure(state_);
    } catch (const UserError&) {
        return std::nullopt;
    }
}

ImU32 Explorer::packed_color(const plot::Color& color) const {
    return packed(color);
}
ImVec4 Explorer::color(plot::Role role) const {
    return vector_of(plot::color_of(theme(), role));
}

// --- states ----------------------------------------------------------------------------------------------------------

void Explorer::go(ViewState next) {
    if (next == state_ || !may_become(next)) return;
    undo_.push_back(std::move(gesture_ ? *gesture_ : state_));
    gesture_.reset();
    next_token_at_ = -1;
    if (undo_.size() > kMostUndo) undo_.erase(undo_.begin());
    redo_.clear();
    note_.clear();
    state_ = std::move(next);
    ask_for_frames(3);
}

void Explorer::drag_to(ViewState next) {
    if (next == state_ || !may_become(next)) return;
    if (!gesture_) gesture_ = state_;
    note_.clear();
    state_ = std::move(next);
    ask_for_frames(3);
}

void Explorer::end_gesture() {
    if (!gesture_) return;
    ViewState reached = std::move(state_);
    state_ = std::move(*gesture_);
    gesture_.reset();
    go(std::move(reached));
}

// --- the tape plays --------------------------------------------------------------------------------------------------

void Explorer::play() {
    if (plays()) {
        next_token_at_ = -1;
        return end_gesture();
    }
    const viz::ReadText text = read();
    if (text.tokens.empty()) return;
    ViewState next = state_;
    if (text.cursor >= static_cast<std::int64_t>(text.tokens.size())) next.cursor = 1;
    next.predicted.clear();
    next.shown = false;
    drag_to(std::move(next));
    next_token_at_ = ImGui::GetTime() + kTokenSeconds;
}

void Explorer::follow_tape() {
    if (!plays() || ImGui::GetTime() < next_token_at_) return;
    next_token_at_ += kTokenSeconds;
    const viz::ReadText text = read();
    const auto last = static_cast<std::int64_t>(text.tokens.size());
    ViewState next = state_;
    next.cursor = text.cursor + 1 >= last ? -1 : text.cursor + 1;
    drag_to(std::move(next));
    if (state_.cursor >= 0) return;
    next_token_at_ = -1;
    end_gesture();
}

void Explorer::undo(std::vector<ViewState>& from, std::vector<ViewState>& to) {
    if (from.empty()) return;
    to.push_back(std::move(state_));
    state_ = std::move(from.back());
    from.pop_back();
    note_.clear();
    ask_for_frames(3);
}

/// A view begins with what it shows by itself, but for models that the user opened, where it has them.
void Explorer::show_view(const std::string& name) {
    ViewState next;
    next.view = name;
    if (name != "start") next.models = name == "overview" ? results_ : opened_;
    if (!next.models.empty() && viz::is_run(next.models[0])) next.moment = state_.moment;  // of the same run
    next.lesson = state_.lesson;
    next.step = state_.step;
    next.answer = state_.answer;
    next.theme = state_.theme;
    next.scale = state_.scale;
    go(std::move(next));
}

/// The view, or the lesson's step, as it began.
ViewState Explorer::restarted() {
    if (const viz::Lesson* taught = lesson())
        return viz::state_of_step(*taught, state_.lesson, state_.step - 1, state_);
    ViewState next;
    next.view = state_.view;
    next.theme = state_.theme;
    next.scale = state_.scale;
    return next;
}

const viz::ReadText& Explorer::read() {
    std::string key = viz::what_figures_need(state_);
    if (key == read_key_) return read_;
    read_key_ = std::move(key);
    try {
        read_ = desk_.text(state_);
    } catch (const UserError&) {
        read_ = {};  // the figure says what is wrong
    }
    return read_;
}

// --- widgets ---------------------------------------------------------------------------------------------------------

bool Explorer::enlist(const std::string& id) {
    const ImVec2 low = ImGui::GetItemRectMin(), high = ImGui::GetItemRectMax();
    widgets_[id] = {low, high};
    order_.push_back(id);
    if (focus_ != id) return false;
    ImGui::GetForegroundDrawList()->AddRect({low.x - units(3), low.y - units(3)},
                                            {high.x + units(3), high.y + units(3)},
                                            packed(plot::color_of(theme(), plot::Role::accent)), units(8), 0, units(2));
    return press_focus_;
}

bool Explorer::button(const std::string& id, const std::string& text, const ImVec2& at, const ImVec2& size,
                      bool chosen) {
    const plot::Color accent = plot::color_of(theme(), plot::Role::accent),
                      ink = plot::color_of(theme(), plot::Role::ink);
    ImGui::SetCursorScreenPos(at);
    ImGui::PushStyleVar(ImGuiStyleVar_FrameRounding, units(6));
    ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 1);
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, {units(4), units(1)});  // large type needs the room
    ImGui::PushStyleColor(ImGuiCol_Text, vector_of(chosen ? accent : ink));
    ImGui::PushStyleColor(ImGuiCol_Border, vector_of(chosen ? accent : theme().axis));
    ImGui::PushStyleColor(ImGuiCol_Button, vector_of(chosen ? faded(accent, 0.14) : theme().card));
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, vector_of(faded(accent, 0.22)));
    ImGui::PushStyleColor(ImGuiCol_ButtonActive, vector_of(faded(accent, 0.34)));
    const bool pressed = ImGui::Button((text + "##" + id).c_str(), size);
    const bool by_key = enlist(id);
    ImGui::PopStyleColor(5);
    ImGui::PopStyleVar(3);
    return pressed || by_key;
}

void Explorer::say(const std::string& text, const ImVec2& at) {
    ImGui::SetCursorScreenPos(at);
    ImGui::PushStyleColor(ImGuiCol_Text, vector_of(plot::color_of(theme(), plot::Role::secondary)));
    ImGui::TextUnformatted(text.c_str());
    ImGui::PopStyleColor();
}

float Explorer::tab(const std::string& id, const std::string& text, const ImVec2& at, float height, bool chosen,
                    bool& pressed) {
    const float width = ImGui::CalcTextSize(text.c_str()).x + units(20);
    ImGui::SetCursorScreenPos(at);
    pressed = ImGui::InvisibleButton(id.c_str(), {width, height});
    pressed = enlist(id) || pressed;
    const bool lit = chosen || ImGui::IsItemHovered();
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    list.AddText({at.x + units(10), at.y + (height - size.y) / 2},
                 ImGui::ColorConvertFloat4ToU32(color(lit ? plot::Role::ink : plot::Role::secondary)), text.c_str());
    if (chosen)
        list.AddRectFilled({at.x + units(10), at.y + height - units(3)}, {at.x + width - units(10), at.y + height},
                           ImGui::ColorConvertFloat4ToU32(color(plot::Role::accent)));
    return width;
}

void Explorer::frame() {
    set_zoom(state_.scale);
    keys();
    follow_tape();
    follow_training();
    if (&theme() != &App::theme()) {
        set_theme(theme());  // its letters and colours are there from the next frame on
        ask_for_frames(3);
    }
    widgets_.clear();
    order_.clear();
    begin_page("explorer");
    ImGui::PushFont(fonts().widget(plot::Face::regular, 13));
    const auto width = static_cast<float>(window().width()), height = static_cast<float>(window().height());
    const float top = units(kBar);
    bar(top);
    veil_unless("view", {0, 0}, {bar_buttons_at_ - units(3), top - 1}, theme().card);
    float right = width, left = 0;
    if (lesson() != nullptr && !lessons_listed_) {
        right -= units(theme().text > 16 ? 420 : 340);
        lesson_panel({right, top}, {width, height});
    }
    if (lessons_listed_) {
        if (!help_) lesson_list({0, top}, {width, height});
    } else {
        if (column_width() > 0) column({0, top}, {left = column_width(), height});
        body({left, top}, {right, height});
    }
    help();
    press_focus_ = false;
    if (std::find(order_.begin(), order_.end(), focus_) == order_.end()) focus_.clear();
    ImGui::PopFont();
    ImGui::End();
}

}  // namespace whorl::view
