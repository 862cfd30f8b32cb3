// The column at the left: the view's controls, and the views of its group.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"

namespace whorl::view {
namespace {

using viz::Control;
using viz::ControlKind;
using viz::ViewState;

constexpr double kMargin = 24, kGap = 8, kButton = 32;  // units

std::vector<const Control*> shown_controls(const ViewState& state) {
    std::vector<const Control*> shown;
    for (const Control* control : viz::controls_of(state.view))
        if (control->shown && viz::in_use(state, *control)) shown.push_back(control);
    return shown;
}

std::size_t views_in_group(const std::string& group) {
    const auto& views = viz::desk_views();
    return static_cast<std::size_t>(
        std::count_if(views.begin(), views.end(), [&](const viz::DeskView& view) { return group == view.group; }));
}

}  // namespace

float Explorer::column_width() const {
    const bool any = state_.view == "overview" || !shown_controls(state_).empty() ||
                     views_in_group(viz::desk_view(state_.view).group) > 1;
    return any ? units(theme().text > 16 ? 330 : 240) : 0;
}

/// A slider: the label and the value above, the track below. Where it is pressed, the value follows.
float Explorer::number_control(const Control& control, float x, float y, float width) {
    const double now = viz::value_of(state_, control.name);
    const float line = ImGui::GetTextLineHeight(), height = units(22), radius = units(7);
    const auto share_of = [&](double value) {
        return control.logarithmic ? std::log(value / control.low) / std::log(control.high / control.low)
                                   : (value - control.low) / (control.high - control.low);
    };
    const auto value_at = [&](double share) {
        const double raw = control.logarithmic ? control.low * std::pow(control.high / control.low, share)
                                               : control.low + share * (control.high - control.low);
        return viz::rounded(control, raw);
    };
    const std::string id = std::string("control.") + control.name;
    const bool chosen = focus_ == id;
    paragraph(control.label, x, y, width, chosen ? plot::Role::accent : plot::Role::ink);
    const std::string value = fmt::format("{:.3g}{}", now, control.unit);
    paragraph(value, x + width - ImGui::CalcTextSize(value.c_str()).x, y, width, plot::Role::secondary);
    y += line + units(4);
    ImGui::SetCursorScreenPos({x, y});
    ImGui::InvisibleButton(id.c_str(), {width, height});
    enlist(id);
    const float from = x + radius, length = width - 2 * radius;
    if (ImGui::IsItemActive()) {
        focus_ = id;
        const double share = std::clamp((ImGui::GetIO().MousePos.x - from) / length, 0.0f, 1.0f);
        drag_to(viz::by_hand(state_, control.name, value_at(share)));
    }
    if (ImGui::IsItemDeactivated()) end_gesture();
    const float middle = y + height / 2;
    const float knob =
        from + length * static_cast<float>(std::clamp(share_of(viz::value_of(state_, control.name)), 0.0, 1.0));
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImU32 accent = ImGui::ColorConvertFloat4ToU32(color(plot::Role::accent));
    list.AddRectFilled({from, middle - units(2)}, {from + length, middle + units(2)}, packed_color(theme().grid),
                       units(2));
    list.AddRectFilled({from, middle - units(2)}, {knob, middle + units(2)}, accent, units(2));
    list.AddCircleFilled({knob, middle}, radius, packed_color(theme().card));
    list.AddCircle({knob, middle}, radius, accent, 0, units(ImGui::IsItemActive() || chosen ? 3 : 2));
    return y + height + units(8);
}

/// One button for each choice, two beside one another where all of them are short.
float Explorer::choice_control(const Control& control, float x, float y, float width) {
    y = paragraph(control.label, x, y, width, plot::Role::ink) - units(4);
    const auto now = static_cast<std::size_t>(viz::value_of(state_, control.name));
    const float half = (width - units(4)) / 2;
    const bool two = std::all_of(control.choices.begin(), control.choices.end(),
                                 [&](const char* choice) { return ImGui::CalcTextSize(choice).x + units(10) < half; });
    for (std::size_t i = 0; i < control.choices.size(); ++i) {
        const std::string id = fmt::format("control.{}.{}", control.name, control.choices[i]);
        std::string text = control.choices[i];
        std::replace(text.begin(), text.end(), '-', ' ');
        const bool right = two && i % 2 == 1;
        if (button(id, text, {right ? x + half + units(4) : x, y}, {two ? half : width, units(kButton - 4)}, i == now))
            go(viz::with_value(state_, control.name, static_cast<double>(i)));
        if (!two || right || i + 1 == control.choices.size()) y += units(kButton);
    }
    return y + units(8);
}

float Explorer::control(const Control& control, float x, float y, float width) {
    if (control.kind == ControlKind::choice) return choice_control(control, x, y, width);
    if (control.kind != ControlKind::yes) return number_control(control, x, y, width);
    const bool on = viz::value_of(state_, control.name) > 0;
    const std::string text = std::string(on ? "✓  " : "") + control.label;
    if (button(std::string("control.") + control.name, text, {x, y}, {width, units(kButton)}, on))
        go(viz::with_value(state_, control.name, on ? 0 : 1));
    return y + units(kButton + 8);
}

void Explorer::column(const ImVec2& low, const ImVec2& high) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddLine({high.x, low.y}, high, packed_color(theme().grid));
    const ImGuiIO& io = ImGui::GetIO();
    if (io.MousePos.x < high.x && io.MousePos.y > low.y) column_scroll_ -= io.MouseWheel * units(48);
    column_scroll_ = std::clamp(column_scroll_, 0.0f, std::max(0.0f, column_height_ - (high.y - low.y)));
    ImGui::PushClipRect(low, high, true);
    const float x = low.x + units(kMargin), top = low.y + units(kMargin) - column_scroll_;
    const float end = column_widgets(x, top, high.x - x - units(kMargin));
    ImGui::PopClipRect();
    column_height_ = end - top + units(2 * kMargin);
    show_focus_in_column(low, high);
    if (column_height_ <= high.y - low.y) return;
    const float height = high.y - low.y, knob = height * height / column_height_;
    const float at = low.y + column_scroll_ / column_height_ * height;
    list.AddRectFilled({high.x - units(7), at}, {high.x - units(3), at + knob}, packed_color(theme().axis), units(2));
}

float Explorer::column_widgets(float x, float y, float width) {
    const float top = y;
    const std::string group = viz::desk_view(state_.view).group;
    if (views_in_group(group) > 1) {
        for (const viz::DeskView& view : viz::desk_views()) {
            if (group != view.group) continue;
            if (button(std::string("figure.") + view.name, view.title, {x, y}, {width, units(kButton - 2)},
                       state_.view == view.name))
                show_view(view.name);
            y += units(kButton + 2);
        }
        veil_unless("view", {x - units(8), top}, {x + width + units(8), y}, theme().card);
        y += units(kGap);
    }
    for (const Control* one : shown_controls(state_)) {
        const float begin = y;
        y = control(*one, x, y, width);
        veil_unless(one->name, {x - units(8), begin}, {x + width + units(8), y}, theme().card);
    }
    if (state_.view == "overview") return overview_column(x, y, width);
    return state_.view == "train" ? training_column(x, y, width) : y;
}

/// What keys move to comes into sight.
void Explorer::show_focus_in_column(const ImVec2& low, const ImVec2& high) {
    const auto place = widgets_.find(focus_);
    if (place == widgets_.end() || focus_ == focus_shown_ || place->second.high.x > high.x) return;
    focus_shown_ = focus_;
    if (place->second.low.y < low.y) column_scroll_ -= low.y + units(kMargin) - place->second.low.y;
    if (place->second.high.y > high.y) column_scroll_ += place->second.high.y - high.y + units(kMargin);
    ask_for_frames(2);
}

// --- by keys ---------------------------------------------------------------------------------------------------------

/// The slider that has the focus by a step; without one, the moment of the training.
void Explorer::adjust(std::int64_t by) {
    const std::string begin = "control.";
    const Control* control = focus_.rfind(begin, 0) == 0 ? viz::find_control(focus_.substr(begin.size())) : nullptr;
    const auto shown = shown_controls(state_);
    if (control == nullptr || std::find(shown.begin(), shown.end(), control) == shown.end()) return move_moment(by);
    const double now = viz::value_of(state_, control->name);
    double next = now + static_cast<double>(by) * viz::step_of(*control);
    if (control->logarithmic) next = now * std::pow(control->high / control->low, static_cast<double>(by) / 50);
    const double rounded = std::round(next * 1e6) / 1e6;
    go(viz::by_hand(state_, control->name, rounded));
}

}  // namespace whorl::view
