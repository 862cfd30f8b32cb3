// A pilot presses keys and clicks widgets by their names, each on frames of its own, and looks at what became of the
// state: the explorer as a hand would use it, without a display.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "core/base/error.hpp"
#include "tests/support/catch.hpp"
#include "viz/app/explorer.hpp"
#include "viz/app/imgui_compat.hpp"

namespace whorl::view {

using viz::ViewState;

class Pilot {
public:
    explicit Pilot(ViewState state = {})
        : window_(hidden_window({1280, 720, 1, "Test"})), app_(*window_, std::move(state)) {
        name_keys();
        frames(3);
    }

    void click(const std::string& id) {
        const auto widget = app_.widgets().find(id);
        if (widget == app_.widgets().end()) throw std::out_of_range("no widget " + id);
        const WidgetPlace place = widget->second;
        send_mouse_position((place.low.x + place.high.x) / 2, (place.low.y + place.high.y) / 2);
        frames(2);
        send_mouse_button(0, true);
        frames(2);
        send_mouse_button(0, false);
        frames(3);
    }
    /// Presses at one place, moves to another over a few frames, releases there.
    void drag(ImVec2 from, ImVec2 to) {
        send_mouse_position(from.x, from.y);
        frames(2);
        send_mouse_button(0, true);
        frames(2);
        for (int i = 1; i <= 4; ++i) {
            const float share = static_cast<float>(i) / 4;
            send_mouse_position(from.x + share * (to.x - from.x), from.y + share * (to.y - from.y));
            frames(1);
        }
        send_mouse_button(0, false);
        frames(3);
    }
    /// Where data of a panel stands on the screen.
    ImVec2 place(const std::string& slot, const std::string& panel, plot::Point data) {
        const Pane& pane = app_.panes().at(slot);
        for (const plot::PlacedPanel& one : pane.placed.panels) {
            if (one.id != panel) continue;
            const plot::Point paper = one.to_paper(data);
            return {pane.spot.at.x + static_cast<float>(paper.x * pane.spot.scale),
                    pane.spot.at.y + static_cast<float>(paper.y * pane.spot.scale)};
        }
        throw std::out_of_range("no panel " + panel);
    }
    ImVec2 within(const std::string& id, float share) {
        const WidgetPlace place = app_.widgets().at(id);
        return {place.low.x + share * (place.high.x - place.low.x), (place.low.y + place.high.y) / 2};
    }
    void press(Key key, bool control = false, bool alt = false, bool shift = false) {
        send_modifiers(control, shift, alt);
        send_key(key, true);
        frames(2);
        send_key(key, false);
        send_modifiers(false, false, false);
        frames(2);
    }
    void letter(char which) {
        send_letter(static_cast<unsigned char>(which));
        frames(2);
    }
    void wait(int count) { frames(count); }
    const ViewState& state() const { return app_.state(); }
    /// How many tokens are read.
    std::int64_t cursor() { return desk_.text(app_.state()).cursor; }
    std::string claim() { return app_.figure().value().claim; }
    Explorer& app() { return app_; }
    bool open() { return window_->poll(0); }

private:
    void frames(int count) {
        for (int i = 0; i < count; ++i) {
            app_.one_frame();
            if (app_.failure()) std::rethrow_exception(app_.failure());
        }
    }
    std::unique_ptr<Window> window_;
    Explorer app_;
    viz::Desk desk_;  // for what the window does not tell
};

inline ViewState view_named(const char* name) {
    ViewState state;
    state.view = name;
    return state;
}

/// Nothing where this machine has no OpenGL.
inline std::unique_ptr<Pilot> pilot(ViewState state = {}) {
    try {
        return std::make_unique<Pilot>(std::move(state));
    } catch (const RuntimeFailure& error) {
        WARN("skipped: " << error.what());
        return nullptr;
    }
}

}  // namespace whorl::view
