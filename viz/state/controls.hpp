// What a view can be told: sliders, choices and switches, described once. The window draws them, links and lessons name
// them, ViewState::settings holds those that are not at their beginning.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "viz/state/view_state.hpp"

namespace whorl::viz {

enum class ControlKind { number, whole, choice, yes };

struct Control {
    const char* name;   // in links: "decay=0.35", "rule=bilinear", "held=1"
    const char* label;  // beside the slider, with the figure's letters: "Δ"
    ControlKind kind;
    double low, high, initial;  // of a choice: its place in `choices`
    std::vector<const char*> views;
    std::vector<const char*> choices{};
    bool logarithmic = false;
    const char* unit = "";
    bool shown = true;       // false: set by clicks and links alone
    bool by_preset = false;  // in the sandbox it begins as the chosen preset has it
};

/// All of them; a name means one thing in all views that have it.
const std::vector<Control>& controls();
/// Null for an unknown name.
const Control* find_control(const std::string& name);
/// Those of a view, in the order in which they are shown.
std::vector<const Control*> controls_of(const std::string& view);

/// False where it changes nothing as the state's other controls are, as θ of a slide, or is about the bit that is not
/// looked at.
bool in_use(const ViewState& state, const Control& control);

/// As set, or as it begins. There must be such a control.
double value_of(const ViewState& state, const std::string& name);
bool is_set(const ViewState& state, const std::string& name);
/// The state with that value, kept within the control's limits; at its beginning it is not set. A preset takes back
/// what was set of the controls that begin by it.
ViewState with_value(ViewState state, const std::string& name, double value);

/// The same by a hand on the control: in the sandbox its neighbouring values are shown from then on.
ViewState by_hand(ViewState state, const std::string& name, double value);
/// All of them, in an order that their meaning allows: a preset before what differs from it.
ViewState with_values(ViewState state, std::vector<std::pair<const Control*, double>> values);

/// What one press of a key changes it by.
double step_of(const Control& control);
/// As a hand can set it: with three digits of the range, angles by their step.
double rounded(const Control& control, double value);

/// "0.35", "bilinear", "1". Read back by read_control, which throws UserError naming `place`, the control and what it
/// takes.
std::string written(const Control& control, double value);
double read_control(const Control& control, const std::string& text, const std::string& place = "link");

}  // namespace whorl::viz
