#include "viz/views/sandbox_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/inference/tokens.hpp"
#include "core/base/error.hpp"
#include "viz/data/hand_handles.hpp"
#include "viz/data/hand_presets.hpp"
#include "viz/panels/degrees.hpp"
#include "viz/panels/wording.hpp"
#include "viz/state/controls.hpp"

namespace whorl::viz {
namespace {

constexpr std::size_t kMostBits = 4096;

/// The state as the sandbox's own, whatever view it is in.
ViewState in_sandbox(ViewState state) {
    state.view = "sandbox";
    return state;
}

std::vector<int> bits_read(const ViewState& state) {
    std::vector<int> bits = bits_of(state);
    if (state.cursor > 0) bits.resize(std::min(bits.size(), static_cast<std::size_t>(state.cursor)));
    return bits;
}

/// "θ = 155°"
std::string ghost_label(const Control& control, double value) {
    const std::string name = control.label;
    return name.substr(0, name.find(',')) + " = " + number(value) + control.unit;
}

std::vector<GhostPair> ghosts_of(const ViewState& state, const HandPair& pair) {
    const Control& fan = *find_control("fan");
    const std::string name = written(fan, value_of(state, "fan"));
    HandPair other = pair;
    double* const number = number_named(other, name);
    const bool digit = name.back() == '0' || name.back() == '1';
    const std::string kind = digit ? name.substr(0, name.size() - 1) : name;
    const bool held = kind == "turn" && value_of(state, "challenge") > 0;
    if (number == nullptr || held || !uses(pair.kind, kind)) return {};
    std::vector<GhostPair> ghosts;
    for (const double value : neighbours(name, *number_named(other, name))) {
        *number = value;
        ghosts.push_back({ghost_label(*find_control(name), value), other});
    }
    return ghosts;
}

/// Where the pair came from, and whether it has left there.
std::string about_of(const ViewState& state) {
    const auto& settings = state.settings;
    const bool changed = std::any_of(settings.begin(), settings.end(), [](const auto& setting) {
        return find_control(setting.first)->by_preset && setting.first != "bit" && setting.first != "modulus";
    });
    const std::string about = preset_pair(static_cast<Preset>(value_of(state, "preset"))).about;
    return (changed ? "began as: " : "") + about + (value_of(state, "challenge") > 0 ? ", θ set to 0" : "");
}

// --- dragging --------------------------------------------------------------------------------------------------------

constexpr double kStay = 1e-4;  // of the range, squared: of two values as good the nearer one

/// Values of a control that a drag can set: so many a unit.
double a_unit(const Control& control) {
    return std::string(control.unit) == "°" ? 1 : 100;
}
double on_grid(const Control& control, double value) {
    return std::round(value * a_unit(control)) / a_unit(control);
}

/// The value whose handle lies nearest to `to`.
double nearest_value(const ViewState& state, const Control& control, trace::PlanePoint to) {
    HandPair pair = hand_pair_of(state);
    const std::vector<int> bits = bits_read(state);
    double& number = *number_named(pair, control.name);
    const double now = number, range = control.high - control.low, size = std::max(1.0, length(to));
    const auto steps = static_cast<int>(std::lround(range * a_unit(control)));
    double best = now, least = HUGE_VAL;
    for (int i = 0; i <= steps; ++i) {
        const double value = on_grid(control, control.low + range * i / steps);
        number = value;
        const auto place = handle_place(pair, bits, control.name);
        if (!place) return now;
        const double off = length(*place - to) / size, moved = (value - now) / range;
        const double cost = off * off + kStay * moved * moved;
        if (cost < least) least = cost, best = value;
    }
    return best;
}

double direction(trace::PlanePoint to) {
    return std::atan2(to.y, to.x) * kDegrees;
}
double half_turns(double degrees) {
    return std::remainder(degrees, 360);
}

ViewState set_by_hand(const ViewState& state, const std::string& name, double value) {
    return by_hand(state, name, on_grid(*find_control(name), value));
}

/// An input keeps its sign; its direction turns.
ViewState with_input(const ViewState& state, const std::string& digit, trace::PlanePoint to) {
    const double sign = value_of(state, "in" + digit) < 0 ? -1 : 1;
    const ViewState turned = set_by_hand(state, "key" + digit, half_turns(direction(to) + (sign < 0 ? 180 : 0)));
    return set_by_hand(turned, "in" + digit, sign * length(to));
}

ViewState with_second_key(const ViewState& state, const std::string& digit, trace::PlanePoint to) {
    const double sign = value_of(state, "in" + digit) < 0 ? 180 : 0;
    return set_by_hand(state, "apart" + digit, half_turns(direction(to) + sign - value_of(state, "key" + digit)));
}

}  // namespace

HandPair hand_pair_of(const ViewState& given) {
    const ViewState state = in_sandbox(given);
    HandPair pair;
    pair.kind = static_cast<PairKind>(value_of(state, "kind"));
    for (const Control* control : controls_of("sandbox"))
        if (double* number = number_named(pair, control->name)) *number = value_of(state, control->name);
    if (value_of(state, "challenge") > 0)
        for (BitStep& bit : pair.at) bit.turn = 0;
    return pair;
}

std::vector<int> bits_of(const ViewState& state) {
    std::vector<int> bits;
    for (const std::int32_t token : tokens_of_text(state.text, {"0", "1"})) bits.push_back(token);
    if (bits.empty() || bits.size() > kMostBits)
        throw UserError(fmt::format("text: expected 1 to {} zeros and ones", kMostBits));
    return bits;
}

SandboxData make_sandbox(const ViewState& given) {
    const ViewState state = in_sandbox(given);
    SandboxData data;
    data.pair = hand_pair_of(state);
    data.about = about_of(state);
    data.challenge = value_of(state, "challenge") > 0;
    data.modulus = data.challenge ? 2 : static_cast<int>(value_of(state, "modulus"));
    data.bit = static_cast<int>(value_of(state, "bit"));
    data.bits = bits_read(state);
    data.span = bits_of(state).size();
    data.ghosts = ghosts_of(state, data.pair);
    return data;
}

std::vector<double> neighbours(const std::string& name, double value) {
    const Control& control = *find_control(name);
    const double step = step_of(control);
    const double low = std::min(control.low, value), high = std::max(control.high, value);
    std::vector<double> values;
    for (int k = 1; values.size() < kGhosts && k <= 2 * static_cast<int>(kGhosts); ++k)
        for (const double next : {value - k * step, value + k * step})
            if (values.size() < kGhosts && next >= low - 1e-9 && next <= high + 1e-9) values.push_back(next);
    std::sort(values.begin(), values.end());
    return values;
}

ViewState dragged(const ViewState& state, const std::string& fields, plot::Point to) {
    const trace::PlanePoint place{to.x, to.y};
    const std::string first = fields.substr(0, fields.find('+'));
    const Control* control = find_control(first);
    if (control == nullptr || !control->by_preset) return state;
    const std::string digit(1, first.back());
    if (first == "read") return set_by_hand(state, "read", direction(place));
    if (first.compare(0, 2, "in") == 0) return with_input(state, digit, place);
    if (first.compare(0, 3, "key") == 0) return set_by_hand(state, first, direction(place));
    if (first.compare(0, 5, "apart") == 0) return with_second_key(state, digit, place);
    return set_by_hand(state, first, nearest_value(state, *control, place));
}

}  // namespace whorl::viz
