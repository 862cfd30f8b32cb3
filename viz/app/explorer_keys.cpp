// The explorer's keys, and what they do to the state.
#include <algorithm>

#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"
#include "viz/app/zoom.hpp"
#include "viz/desk/view_file.hpp"

namespace whorl::view {

using viz::ViewState;

// --- what they do ----------------------------------------------------------------------------------------------------

/// Through the moments that were kept of a training.
void Explorer::move_moment(std::int64_t by) {
    const std::vector<std::int64_t> steps = desk_.moment_steps(state_);
    if (steps.empty()) return;
    const auto last = static_cast<std::int64_t>(steps.size()) - 1;
    const auto later = std::upper_bound(steps.begin(), steps.end(), state_.moment);
    const std::int64_t now = state_.moment < 0 ? last : std::max<std::int64_t>(later - steps.begin() - 1, 0);
    const std::int64_t at = std::clamp<std::int64_t>(now + by, 0, last);
    ViewState next = state_;
    next.moment = at == last ? -1 : steps[static_cast<std::size_t>(at)];
    go(std::move(next));
}

/// The view as it is stays at the right, and what changes from now on is seen beside it; or it goes.
void Explorer::compare() {
    if (state_.view == "start" || state_.view == "train") {
        note_ = "A question and a training stand alone; other views can be compared.";
        return;
    }
    ViewState next = state_;
    next.difference = false;
    next.beside.clear();
    if (state_.beside.empty()) {
        ViewState other = state_;
        other.lesson.clear();
        other.step = 1;
        other.answer.clear();
        next.beside = viz::key_of(other);
    }
    go(std::move(next));
}

void Explorer::next_model() {
    ViewState next = desk_.with_next_model(state_);
    if (state_.view != "start") opened_ = next.models;
    go(std::move(next));
}

/// Through the widgets in the order in which they stand; behind the last there is none.
void Explorer::move_focus(int by) {
    const auto at = std::find(order_.begin(), order_.end(), focus_);
    const auto count = static_cast<int>(order_.size());
    const int now = at != order_.end() ? static_cast<int>(at - order_.begin()) : by > 0 ? -1 : count;
    const int next = now + by;
    focus_ = next < 0 || next >= count ? "" : order_[static_cast<std::size_t>(next)];
    ask_for_frames(3);
}

/// A slider is moved, not pressed: keys go past it.
bool Explorer::focus_takes_presses() const {
    const std::string begin = "control.";
    const viz::Control* control =
        focus_.rfind(begin, 0) == 0 ? viz::find_control(focus_.substr(begin.size())) : nullptr;
    return !focus_.empty() && (control == nullptr || control->kind == viz::ControlKind::yes);
}

void Explorer::press_focus() {
    press_focus_ = true;
    ask_for_frames(3);
}

// --- keys ------------------------------------------------------------------------------------------------------------

/// Of the text and of what is asked about it.
void Explorer::edit_keys() {
    const ImGuiIO& io = ImGui::GetIO();
    const std::int64_t many = io.KeyShift ? 10 : 1;
    if (is_pressed(Key::left, true)) move_cursor(-many);
    if (is_pressed(Key::right, true)) move_cursor(many);
    if (is_pressed(Key::up, true)) adjust(many);
    if (is_pressed(Key::down, true)) adjust(-many);
    if (is_pressed(Key::tab, true)) move_focus(io.KeyShift ? -1 : 1);
    const bool enter = is_pressed(Key::enter) || is_pressed(Key::keypad_enter), space = is_pressed(Key::space);
    if ((enter || space) && focus_takes_presses()) return press_focus();
    if (is_pressed(Key::backspace, true)) erase();
    if (enter) next_beat();
    type_signs();
    for (char digit = '0'; digit <= '9' && !io.KeyAlt && !io.KeyCtrl; ++digit)
        if (is_pressed(key_of(digit))) type(std::string(1, digit));
    const bool asks = open_question() != nullptr;
    for (char letter = 'A'; letter <= 'E' && asks && !io.KeyCtrl; ++letter)
        if (is_pressed(key_of(letter))) answer_question(static_cast<std::size_t>(letter - 'A'));
    if (space && lesson() != nullptr) return next_step();
    if (space && state_.view == "train") return play_or_pause();
    if (is_pressed(key_of('P')) || (space && state_.view == "start")) answer();
    if (space && state_.view != "start") play();
    if (asks || io.KeyCtrl) return;
    if (is_pressed(key_of('C'))) compare();
    if (is_pressed(key_of('E'))) export_view();
    if (is_pressed(key_of('M'))) next_model();
    ViewState next = state_;
    if (is_pressed(key_of('D')) && !state_.beside.empty()) next.difference = !state_.difference;
    if (is_pressed(key_of('N')) && state_.view == "train") next = with_new_seed();
    const bool anew = next.settings != state_.settings, again = is_pressed(key_of('R'));
    if (again && state_.view != "train") next = restarted();
    go(std::move(next));
    if (anew || (again && state_.view == "train")) train();
}

/// Of a list: from one button to the next.
void Explorer::list_keys() {
    if (is_pressed(Key::tab, true)) move_focus(ImGui::GetIO().KeyShift ? -1 : 1);
    const bool pressed = is_pressed(Key::enter) || is_pressed(Key::keypad_enter) || is_pressed(Key::space);
    if (pressed && focus_takes_presses()) press_focus();
}

/// Of the window: which view, how it looks, what is undone.
void Explorer::view_keys() {
    const ImGuiIO& io = ImGui::GetIO();
    if (is_pressed(Key::slash) || is_pressed(Key::f1)) help_ = !help_;
    if (is_pressed(Key::escape)) {
        help_ = lessons_listed_ = false;
        focus_.clear();
    }
    if (io.KeyCtrl && is_pressed(key_of('Z'))) undo(undo_, redo_);
    if (io.KeyCtrl && is_pressed(key_of('Y'))) undo(redo_, undo_);
    if (io.KeyCtrl && is_pressed(key_of('C'))) copy_link();
    if (io.KeyCtrl && is_pressed(key_of('V'))) paste();
    if (io.KeyCtrl && is_pressed(key_of('S'))) save_view();
    if (io.KeyCtrl && is_pressed(key_of('Q'))) window().close();
    for (char digit = '1'; digit <= '9' && io.KeyAlt; ++digit)
        if (is_pressed(key_of(digit))) show_group(static_cast<std::size_t>(digit - '1'));
    if (const double zoomed = zoom_by_keys(state_.scale); zoomed != state_.scale) {
        ViewState next = state_;
        next.scale = zoomed;
        go(std::move(next));
    }
    if (io.KeyCtrl || open_question() != nullptr) return;  // letters answer
    if (is_pressed(key_of('H'))) lessons_listed_ = !lessons_listed_;
    ViewState next = state_;
    if (is_pressed(key_of('L'))) next.theme = state_.theme == "light" ? "dark" : "light";
    if (is_pressed(key_of('B'))) next.theme = state_.theme == "projector" ? "light" : "projector";
    go(std::move(next));
}

void Explorer::keys() {
    if (ImGui::GetIO().WantTextInput) return;  // single keys rest while text is typed
    if (lessons_listed_)
        list_keys();  // what lies below is not to be seen
    else if (!guess_keys())
        edit_keys();
    view_keys();
}

}  // namespace whorl::view
