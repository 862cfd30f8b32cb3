#include "viz/data/hand_presets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "app/run/shipped_models.hpp"
#include "core/trace/reading.hpp"
#include "viz/data/kept.hpp"

namespace whorl::viz {
namespace {

constexpr double kDegreesInARadian = 180 / 3.14159265358979323846;
constexpr const char* kTrainedModel = "parity-mamba3-smoothed";

// At a 0 nothing happens, or these are no counters: Δ is nothing, and so is β, and the angle between two keys.
HandPair at_a_one(PairKind kind, BitStep one, double read) {
    BitStep zero;
    zero.dt = 0;
    return {kind, {zero, one}, read};
}

/// As core/model/constructed has them: the hinge of the turns is at -1.
PresetPair half_turn() {
    return {at_a_one(PairKind::turn, {.turn = 180, .in = -2}, 180), 2, "half a turn at a 1"};
}

PresetPair no_turn() {
    PresetPair preset = half_turn();
    preset.pair.at[1].turn = 0;
    preset.about = "the same with θ = 0";
    return preset;
}

/// About -1 from the origin; C stands so that the four places are read 3, -1, -3 and 1 parts away from the hinge's own
/// reading: equally far from each other.
PresetPair quarter_turn() {
    const double read = std::atan2(1, 3) * kDegreesInARadian;
    return {at_a_one(PairKind::turn, {.turn = 90, .in = std::sqrt(2.0), .key = -135}, read), 4,
            "a quarter of a turn at a 1"};
}

/// A 1 writes a number, each 0 turns it: nothing is counted.
PresetPair turning_number() {
    HandPair pair;
    pair.at[0] = {.turn = 90};
    pair.at[1] = {.in = 1};
    return {pair, 1, "a 1 writes, a 0 turns by a quarter", 0};
}

PresetPair slide() {
    return {at_a_one(PairKind::slide, {.dt = 0.5, .decay = 1, .in = 1, .key = 22}, 0), 2, "a slide at a 1"};
}

PresetPair flip() {
    return {at_a_one(PairKind::flip, {.in = 1, .beta = 2}, 0), 2, "a flip at a 1"};
}

PresetPair two_flips() {
    return {at_a_one(PairKind::two_flips, {.in = 1, .apart = 90}, 45), 2, "two flips at a 1"};
}

// --- the trained one -------------------------------------------------------------------------------------------------

/// One layer without convolutions: what it does depends on nothing but the token, so one place of each tells all.
BitStep read_off(const TraceLayer& layer, const trace::Steps& steps, const trace::StatePart& part, std::size_t t) {
    const Reading dt(layer, "dt"), a(layer, "a"), lambda(layer, "lambda"), theta(layer, "theta");
    BitStep bit;
    bit.dt = dt(t, part.head);
    bit.turn = theta(t, part.pair) * kDegreesInARadian;
    bit.decay = -a(t, part.head);
    bit.lambda = lambda(t, part.head);
    const trace::PlanePoint now = steps.steps[t].now;  // λ Δ B x
    bit.in = trace::length(now) / (bit.lambda * bit.dt);
    bit.key = std::atan2(now.y, now.x) * kDegreesInARadian;
    return bit;
}

PresetPair trained() {
    const NamedModel model = named_model(kTrainedModel);
    const Exhibit exhibit{kTrainedModel, "", model.config, model.slice, model.task};
    const std::vector<std::int32_t> tokens = {1, 2, 2, 1, 2, 1, 1, 2, 2, 1, 1, 2, 1, 2, 2, 1};  // 0110100110010110
    const trace::StatePart part = find_kept(exhibit, tokens).part;
    TraceSelection selection;
    selection.state = false;
    const Trace trace = record_trace(exhibit.config, exhibit.slice, tokens, selection);
    const trace::Steps steps = trace::steps_of(trace, {static_cast<std::size_t>(part.layer), part.head, part.pair, {}});
    const TraceLayer& layer = trace.layers.at(static_cast<std::size_t>(part.layer));
    const trace::PlanePoint c = steps.steps[1].read;
    PresetPair preset{{PairKind::turn,
                       {read_off(layer, steps, part, 0), read_off(layer, steps, part, 1)},
                       std::atan2(c.y, c.x) * kDegreesInARadian},
                      2,
                      fmt::format("{}, head {}, pair {}", kTrainedModel, part.head, part.pair)};
    // The state's unit is nobody's: it is such that a 1 writes as much as the half turn above.
    const double unit = std::fabs(preset.pair.at[1].in / half_turn().pair.at[1].in);
    for (BitStep& bit : preset.pair.at) bit.in /= unit;
    return preset;
}

}  // namespace

const std::vector<const char*>& preset_names() {
    static const std::vector<const char*> names = {"half-turn", "no-turn", "quarter-turn", "number",
                                                   "slide",     "flip",    "two-flips",    "trained"};
    return names;
}

const PresetPair& preset_pair(Preset preset) {
    static const std::vector<PresetPair> by_hand = {half_turn(), no_turn(), quarter_turn(), turning_number(),
                                                    slide(),     flip(),    two_flips()};
    if (preset != Preset::trained) return by_hand.at(static_cast<std::size_t>(preset));
    static const PresetPair read = trained();
    return read;
}

double preset_value(Preset preset, const std::string& name) {
    const PresetPair& begin = preset_pair(preset);
    if (name == "kind") return static_cast<double>(begin.pair.kind);
    if (name == "modulus") return begin.modulus;
    if (name == "bit") return begin.bit;
    HandPair pair = begin.pair;
    const double* number = number_named(pair, name);
    if (number == nullptr) throw std::logic_error("a preset has no " + name);
    return *number;
}

}  // namespace whorl::viz
