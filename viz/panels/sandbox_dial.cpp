#include "viz/panels/sandbox_dial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/data/hand_handles.hpp"
#include "viz/panels/degrees.hpp"
#include "viz/panels/dial.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using namespace plot;
using trace::PlanePoint;
using trace::StepPieces;

constexpr double kRim = 0.8;           // of the dial's reach, where directions have their handles
constexpr double kRoom = 1.15;         // around what is farthest out
constexpr std::size_t kGhostTail = 5;  // steps of a ghost

Point spot_of(PlanePoint u) {
    return {u.x, u.y};
}
PlanePoint times(double by, PlanePoint u) {
    return {by * u.x, by * u.y};
}
PlanePoint key_at(double degrees) {
    return trace::turned({1, 0}, degrees / kDegrees);
}
PlanePoint quarter_from(PlanePoint u) {
    return {-u.y, u.x};
}
double product(PlanePoint a, PlanePoint b) {
    return a.x * b.x + a.y * b.y;
}

const char* name_of(PairKind kind) {
    switch (kind) {
        case PairKind::slide:
            return "A step of Mamba-2";
        case PairKind::flip:
            return "A step of Gated DeltaNet";
        case PairKind::two_flips:
            return "A step of two flips";
        case PairKind::turn:
            break;
    }
    return "A step of Mamba-3";
}

Dial dial_of(const SandboxData& data) {
    Dial dial;
    dial.name = name_of(data.pair.kind);
    dial.about = data.about;
    dial.role = role_of(data.pair.kind);
    dial.steps = steps_of(data.pair, data.bits);
    for (const int bit : data.bits) dial.tokens.push_back(std::to_string(bit));
    dial.x_label = "Re", dial.y_label = "Im";
    dial.chosen = step_of_bit(data.bits, data.bit);
    return dial;
}

/// "turns by 45°": of mirrors, what they make together.
std::string verb_with_numbers(const Dial& dial) {
    const StepPieces& step = dial.steps.steps[*dial.chosen];
    return verb_of(step) == Verb::turns ? "turns by " + degrees(std::fabs(step.turn) * kDegrees, 0) : verb_text(dial);
}

/// Up to the next of some round numbers.
double round_up(double value) {
    const double power = std::pow(10.0, std::floor(std::log10(value)));
    for (const double step : {1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0})
        if (value <= step * power * (1 + 1e-9)) return step * power;
    return 10 * power;
}

/// Half the width of a dial that holds everything; `drawn` has the limits of what is drawn so far.
double reach_of(const Panel& drawn, const SandboxData& data) {
    double reach = std::max({1.0, -drawn.x.low, drawn.x.high, -drawn.y.low, drawn.y.high});
    for (const GhostPair& ghost : data.ghosts)
        for (const StepPieces& step : steps_of(ghost.pair, data.bits).steps)
            reach = std::max(reach, kRoom * length(step.u));
    for (const PairHandle& handle : handles_of(data.pair, data.bits, data.bit, 0))
        reach = std::max(reach, kRoom * length(handle.at));
    return round_up(reach);
}

// --- marks -----------------------------------------------------------------------------------------------------------

std::vector<Mark> ghosts_of(const SandboxData& data) {
    std::vector<Mark> marks;
    for (std::size_t i = 0; i < data.ghosts.size(); ++i) {
        const trace::Steps steps = steps_of(data.ghosts[i].pair, data.bits);
        std::vector<Point> way = {{0, 0}};
        for (const StepPieces& step : steps.steps) way.push_back(spot_of(step.u));
        const std::size_t first = way.size() > kGhostTail + 1 ? way.size() - kGhostTail - 1 : 0;
        const Style style{role_of(data.pair.kind), Weight::context, 0.35, Dash::solid};
        const bool end = i == 0 || i + 1 == data.ghosts.size();
        const std::string id = "ghost." + std::to_string(i);
        marks.push_back(Line{id, {way.begin() + static_cast<std::ptrdiff_t>(first), way.end()}, style});
        marks.push_back(
            Points{id + ".tip", {way.back()}, style, Shape::by_role, true, end ? data.ghosts[i].label : "", {0.8}});
    }
    return marks;
}

/// A mirror stands across its key, as far out as what it writes.
void add_mirror(Panel& panel, const std::string& id, PlanePoint key, double in, double reach, const Style& style,
                const std::string& label) {
    const PlanePoint foot = times(in, key), along = times(0.48 * reach, quarter_from(key));
    panel.marks.push_back(Line{id, {spot_of(foot - along), spot_of(foot + along)}, style, label});
}

void add_two_mirrors(Panel& panel, const SandboxData& data, const Dial& dial, double reach) {
    const BitStep& bit = data.pair.at[static_cast<std::size_t>(data.bits[*dial.chosen])];
    const PlanePoint first = key_at(bit.key), second = key_at(bit.key + bit.apart);
    const Style style{dial.role, Weight::data, 0.8, Dash::dashed};
    add_mirror(panel, "mirror.first", first, bit.in, reach, style, "first mirror");
    add_mirror(panel, "mirror.second", second, bit.in, reach, style, "second mirror");
    const StepPieces& step = dial.steps.steps[*dial.chosen];
    const PlanePoint from = *dial.chosen > 0 ? dial.steps.steps[*dial.chosen - 1].u : PlanePoint{};
    const PlanePoint kept = times(step.retention, from),
                     between = kept + times(2 * (bit.in - product(first, kept)), first);
    panel.marks.push_back(Line{"by-flips",
                               {spot_of(from), spot_of(between), spot_of(step.u)},
                               {dial.role, Weight::context, 0.8, Dash::dotted}});
    panel.marks.push_back(
        Points{"between", {spot_of(between)}, {dial.role, Weight::data, 0.8}, Shape::by_role, true, "one flip"});
}

/// Earlier motions are not named where their names would stand on the chosen one's.
void clear_names(Panel& panel, std::size_t chosen, double reach) {
    constexpr double kAcross = 0.9, kDown = 0.25;  // of the reach: as much as a name takes
    const std::string own = "motion." + std::to_string(chosen) + ".label";
    const auto named = [](const Mark& mark) -> const Text* {
        const auto* text = std::get_if<Text>(&mark);
        return text != nullptr && text->id.compare(0, 7, "motion.") == 0 ? text : nullptr;
    };
    const auto chosen_name = std::find_if(panel.marks.begin(), panel.marks.end(),
                                          [&](const Mark& mark) { return named(mark) && id_of(mark) == own; });
    if (chosen_name == panel.marks.end()) return;
    const Point at = std::get<Text>(*chosen_name).at;
    const auto crowds = [&](const Mark& mark) {
        const Text* text = named(mark);
        return text != nullptr && text->id != own && std::fabs(text->at.x - at.x) < kAcross * reach &&
               std::fabs(text->at.y - at.y) < kDown * reach;
    };
    panel.marks.erase(std::remove_if(panel.marks.begin(), panel.marks.end(), crowds), panel.marks.end());
}

/// C's ray and what is read: the state's shadow on it.
void add_reading(Panel& panel, const Dial& dial, double reach) {
    const StepPieces& last = dial.steps.steps.back();
    const PlanePoint end = times(kRim * reach, last.read), foot = times(product(last.read, last.u), last.read);
    panel.marks.push_back(Line{"ray", {spot_of(times(-1, end)), spot_of(end)}, {Role::muted, Weight::context}});
    panel.marks.push_back(Line{"drop", {spot_of(last.u), spot_of(foot)}, {Role::muted, Weight::hair}});
    panel.marks.push_back(Line{"shadow",
                               {{0, 0}, spot_of(foot)},
                               {Role::truth, Weight::chosen, 1, Dash::solid},
                               length(foot) > 0.1 * reach ? "y" : ""});
}

}  // namespace

Role role_of(PairKind kind) {
    switch (kind) {
        case PairKind::slide:
            return Role::mamba2;
        case PairKind::flip:
        case PairKind::two_flips:
            return Role::gated_delta_net;
        case PairKind::turn:
            break;
    }
    return Role::mamba3;
}

Panel sandbox_dial(const SandboxData& data) {
    const Dial dial = dial_of(data);
    Panel panel = dial_panel(dial);
    const double reach = reach_of(panel, data);
    panel.id = "dial";
    panel.title = "**" + dial.name + "** " + verb_with_numbers(dial);
    panel.subtitle = dial.about;
    clear_names(panel, *dial.chosen, reach);
    const std::vector<Mark> ghosts = ghosts_of(data);
    panel.marks.insert(panel.marks.begin(), ghosts.begin(), ghosts.end());
    add_reading(panel, dial, reach);
    if (data.pair.kind == PairKind::two_flips) add_two_mirrors(panel, data, dial, reach);
    for (const PairHandle& handle : handles_of(data.pair, data.bits, data.bit, kRim * reach))
        if (!data.challenge || handle.fields.compare(0, 4, "turn") != 0)
            panel.marks.push_back(
                Handle{handle.fields, spot_of(handle.at), {Role::accent, Weight::chosen}, handle.label});
    panel.x.low = panel.y.low = -reach;
    panel.x.high = panel.y.high = reach;
    return panel;
}

std::string sandbox_sentence(const SandboxData& data) {
    return step_sentence(dial_of(data));
}

}  // namespace whorl::viz
