#include "viz/state/controls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "viz/data/hand_presets.hpp"

namespace whorl::viz {
namespace {

/// Numbers of the sandbox's pair, in the order in which they are offered; those that end in a bit are about it alone.
const std::vector<const char*>& fans() {
    static const std::vector<const char*> names = {"none", "turn1", "beta1", "apart1",  "decay1", "in1",
                                                   "key1", "dt1",   "turn0", "beta0",   "apart0", "decay0",
                                                   "in0",  "key0",  "dt0",   "lambda0", "lambda", "read"};
    return names;
}

/// A number of the sandbox's pair.
Control of_pair(const char* name, const char* label, double low, double high, const char* unit = "") {
    return {name, label, ControlKind::number, low, high, 0, {"sandbox"}, {}, false, unit, true, true};
}

/// An angle that is added at each of a token; those of bits are sliders, others are dragged.
Control of_token(const char* name, const char* label, bool shown = true) {
    return {name, label, ControlKind::number, -10, 10, 0, {"ledger"}, {}, false, "°", shown};
}

}  // namespace

const std::vector<Control>& controls() {
    using Kind = ControlKind;
    static const std::vector<Control> all = {
        // --- the sandbox
        {"preset", "begin with", Kind::choice, 0, double(preset_names().size() - 1), 0, {"sandbox"}, preset_names()},
        {"kind",
         "a step is",
         Kind::choice,
         0,
         3,
         0,
         {"sandbox"},
         {"turn", "slide", "flip", "two-flips"},
         false,
         "",
         false,
         true},
        {"bit", "what happens at a", Kind::choice, 0, 1, 1, {"sandbox"}, {"0", "1"}, false, "", true, true},
        of_pair("turn1", "θ", -360, 360, "°"),
        of_pair("beta1", "β", 0, 2),
        of_pair("apart1", "apart, from key to key", 0, 180, "°"),
        of_pair("decay1", "decay, −A", 0, 3),
        of_pair("in1", "x, or v", -4, 4),
        of_pair("key1", "direction of B, or k", -180, 180, "°"),
        of_pair("dt1", "Δ", 0, 2),
        of_pair("turn0", "θ", -360, 360, "°"),
        of_pair("beta0", "β", 0, 2),
        of_pair("apart0", "apart, from key to key", 0, 180, "°"),
        of_pair("decay0", "decay, −A", 0, 3),
        of_pair("in0", "x, or v", -4, 4),
        of_pair("key0", "direction of B, or k", -180, 180, "°"),
        of_pair("dt0", "Δ", 0, 2),
        of_pair("lambda0", "λ", 0, 1),
        of_pair("read", "direction of C", -180, 180, "°"),
        {"modulus", "count ones mod", Kind::whole, 1, 5, 2, {"sandbox"}, {}, false, "", false, true},
        {"fan", "neighbours of", Kind::choice, 0, double(fans().size() - 1), 0, {"sandbox"}, fans(), false, "", false},
        // --- the step lab
        {"dt", "Δ, the step", Kind::number, 0.01, 4, 0.8, {"path", "error"}, {}, true},
        {"decay", "decay, -Re A", Kind::number, 0, 3, 0.35, {"path", "error"}},
        {"rotation", "rotation, Im A", Kind::number, 0, 8, 2, {"path", "error"}},
        {"lambda",
         "λ of the trapezoid",
         Kind::number,
         0,
         1,
         0.5,
         {"path", "error", "sandbox"},
         {},
         false,
         "",
         true,
         true},
        {"challenge", "challenge: θ = 0", Kind::yes, 0, 1, 0, {"sandbox"}},
        {"moves", "A moves by", Kind::number, 0, 0.9, 0, {"path", "error"}},
        {"sampled", "A is taken at", Kind::choice, 0, 2, 0, {"path", "error"}, {"end", "begin", "middle"}},
        {"held", "as layers do it", Kind::yes, 0, 1, 0, {"path", "error"}},
        {"rule",
         "rule",
         Kind::choice,
         0,
         5,
         3,
         {"map"},
         {"forward-euler", "backward-euler", "zero-order-hold", "bilinear", "exponential-euler",
          "exponential-trapezoid"}},
        {"between", "between tokens", Kind::choice, 0, 1, 0, {"own"}, {"held", "straight"}},
        // --- the needle's text
        {"length", "length, tokens", Kind::whole, 16, 2048, 256, {"needle"}, {}, true},
        {"depth", "the needle's depth", Kind::number, 0, 1, 0.25, {"needle"}},
        {"example", "another text", Kind::whole, 0, 99, 0, {"needle"}},
        {"swap", "another value", Kind::yes, 0, 1, 0, {"needle"}},
        // --- the time machine: what is trained next
        {"recipe", "recipe", Kind::choice, 0, 1, 0, {"train"}, {"parity-quick", "arithmetic-quick"}},
        {"rate", "learning rate", Kind::number, 2e-4, 4e-2, 4e-3, {"train"}, {}, true},
        {"dt_min", "Δ at the start, from", Kind::number, 0.01, 4, 0.5, {"train"}, {}, true},
        {"dt_max", "to", Kind::number, 0.01, 4, 2, {"train"}, {}, true},
        {"smoothing", "smoothed targets", Kind::number, 0, 0.2, 0.05, {"train"}},
        {"seeds", "seeds at once", Kind::whole, 1, 4, 1, {"train"}},
        {"until_solved", "stop when solved", Kind::yes, 0, 1, 0, {"train"}},
        {"seed", "seed", Kind::whole, 0, 9999, 0, {"train"}, {}, false, "", false},
        // --- a lesion of trained weights (viz/data/lesion.hpp)
        {"silenced", "silenced", Kind::choice, 0, 3, 0, {"dials", "taps", "ledger"}, {"nothing", "β", "bias", "θ"}},
        // --- the ledger
        of_token("more0", "turn each 0 further by"),
        of_token("more1", "turn each 1 further by"),
        of_token("more2", "turn each 2 further by", false),
        of_token("more3", "turn each 3 further by", false),
        of_token("more4", "turn each 4 further by", false),
        // --- which part of a model
        {"layer", "layer", Kind::whole, 0, 63, 0, {"dials", "ledger", "taps", "own"}, {}, false, "", false},
        {"head", "head", Kind::whole, 0, 255, 0, {"dials", "ledger", "taps", "own"}, {}, false, "", false},
        {"pair", "pair", Kind::whole, 0, 255, 0, {"dials", "ledger", "own"}, {}, false, "", false},
    };
    return all;
}

const Control* find_control(const std::string& name) {
    const auto& all = controls();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Control& one) { return name == one.name; });
    return found == all.end() ? nullptr : &*found;
}

std::vector<const Control*> controls_of(const std::string& view) {
    std::vector<const Control*> found;
    for (const Control& control : controls())
        if (std::find(control.views.begin(), control.views.end(), view) != control.views.end())
            found.push_back(&control);
    return found;
}

namespace {

const Control& control_named(const std::string& name) {
    const Control* control = find_control(name);
    if (control == nullptr) throw std::logic_error("there is no control " + name);
    return *control;
}

}  // namespace

bool in_use(const ViewState& state, const Control& control) {
    if (state.view != "sandbox" || !control.by_preset) return true;
    const std::string name = control.name;
    if (name == "kind" || name == "bit") return true;
    const bool challenged = value_of(state, "challenge") > 0;
    if (name == "modulus") return !challenged;
    const bool digit = name.back() == '0' || name.back() == '1';
    const int about = name == "read" ? -1 : name.back() == '0' ? 0 : 1;
    const std::string number = digit ? name.substr(0, name.size() - 1) : name;
    if (about >= 0 && about != static_cast<int>(value_of(state, "bit"))) return false;
    return uses(static_cast<PairKind>(value_of(state, "kind")), number) && !(challenged && number == "turn");
}

namespace {

/// Where it stands unless set.
double beginning(const ViewState& state, const Control& control) {
    if (!control.by_preset || state.view != "sandbox") return control.initial;
    return preset_value(static_cast<Preset>(value_of(state, "preset")), control.name);
}

}  // namespace

double value_of(const ViewState& state, const std::string& name) {
    const auto set = state.settings.find(name);
    return set != state.settings.end() ? set->second : beginning(state, control_named(name));
}

bool is_set(const ViewState& state, const std::string& name) {
    return state.settings.count(name) > 0;
}

ViewState with_value(ViewState state, const std::string& name, double value) {
    const Control& control = control_named(name);
    value = std::clamp(value, control.low, control.high);
    if (control.kind != ControlKind::number) value = std::round(value);
    if (name == "preset") {
        state.settings.erase("fan");
        for (const Control& other : controls())
            if (other.by_preset) state.settings.erase(other.name);
    }
    // Parts of a model have no beginning: what is not set is found by looking.
    const bool searched = !control.shown && control.kind == ControlKind::whole && !control.by_preset;
    if (!searched && value == beginning(state, control))
        state.settings.erase(name);
    else
        state.settings[name] = value;
    return state;
}

ViewState by_hand(ViewState state, const std::string& name, double value) {
    state = with_value(std::move(state), name, value);
    const auto fan = std::find_if(fans().begin(), fans().end(), [&](const char* one) { return name == one; });
    if (state.view != "sandbox" || fan == fans().end()) return state;
    return with_value(std::move(state), "fan", static_cast<double>(fan - fans().begin()));
}

ViewState with_values(ViewState state, std::vector<std::pair<const Control*, double>> values) {
    const auto rank = [](const Control& control) { return std::string(control.name) == "preset" ? 0 : 1; };
    std::stable_sort(values.begin(), values.end(),
                     [&](const auto& one, const auto& other) { return rank(*one.first) < rank(*other.first); });
    for (const auto& [control, value] : values) state = with_value(std::move(state), control->name, value);
    return state;
}

namespace {

constexpr double kAngleStep = 5;

/// Of a wide range: small ones are set finer.
bool is_angle(const Control& control) {
    return std::string(control.unit) == "°" && control.high - control.low >= 90;
}

}  // namespace

double step_of(const Control& control) {
    if (control.kind != ControlKind::number) return 1;
    return is_angle(control) ? kAngleStep : (control.high - control.low) / 50;
}

double rounded(const Control& control, double value) {
    if (control.kind != ControlKind::number) return std::round(value);
    const double range = control.logarithmic ? value : control.high - control.low;
    if (is_angle(control)) return std::round(value / kAngleStep) * kAngleStep;
    const double parts = std::pow(10.0, 2 - std::floor(std::log10(range)));  // of a unit
    return std::round(value * parts) / parts;
}

std::string written(const Control& control, double value) {
    if (control.kind == ControlKind::choice) return control.choices.at(static_cast<std::size_t>(value));
    return fmt::format("{}", value);
}

double read_control(const Control& control, const std::string& text, const std::string& place) {
    const std::string name = control.name;
    if (control.kind == ControlKind::choice) {
        const std::vector<std::string> choices(control.choices.begin(), control.choices.end());
        const auto found = std::find(choices.begin(), choices.end(), text);
        if (found == choices.end())
            throw UserError(one_line(place + ": unknown " + name + " " + in_quotes(text)) + suggestion(text, choices));
        return static_cast<double>(found - choices.begin());
    }
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const bool whole = control.kind == ControlKind::number || value == std::round(value);
    if (text.empty() || *end != '\0' || !whole || !(value >= control.low && value <= control.high))
        throw UserError(one_line(place + ": " + name + "=" + text) +
                        fmt::format(": expected {:g} to {:g}", control.low, control.high));
    return value;
}

}  // namespace whorl::viz
