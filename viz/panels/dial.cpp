#include "viz/panels/dial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "viz/panels/degrees.hpp"

namespace whorl::viz {
namespace {

using namespace plot;
using trace::PlanePoint;
using trace::StepPieces;
using trace::Steps;

constexpr std::size_t kTrail = 24;   // tips that are still to be seen
constexpr std::size_t kMotions = 2;  // steps whose way is drawn: of half turns, one on either side

constexpr double kTellingWay = 0.2;  // of the trail's radius, for a step to be looked at
constexpr double kLeastFlip = 0.05;  // of the state along the key, on the other side: below, it is erased
constexpr double kLane = 0.22;       // the same, between straight ways beside each other
constexpr double kFarHinge = 3;      // radii of the trail, beyond which an arrow at the edge stands for the hinge
constexpr int kWayPoints = 48;       // of half a turn, say
constexpr double kLeastTurn = 3;     // degrees: below, a state that shrinks is said to slide

Point point(PlanePoint u) {
    return {u.x, u.y};
}
PlanePoint operator*(double by, PlanePoint u) {
    return {by * u.x, by * u.y};
}
double inner(PlanePoint a, PlanePoint b) {
    return a.x * b.x + a.y * b.y;
}

PlanePoint before_step(const Steps& steps, std::size_t t) {
    return t > 0 ? steps.steps[t - 1].u : PlanePoint{};
}

/// The largest distance of the state from where it began.
double radius_of(const Steps& steps) {
    double radius = 1e-30;
    for (const StepPieces& step : steps.steps) radius = std::max(radius, length(step.u));
    return radius;
}

double way_length(const Steps& steps, std::size_t t) {
    return length(steps.steps[t].u - before_step(steps, t));
}

/// A step is looked at where its token has moved the state far at some time: a slide's steps become shorter, and are
/// slides still.
bool is_telling(const Dial& dial, std::size_t t) {
    double longest = 0;
    for (std::size_t j = 0; j <= t; ++j)
        if (dial.tokens[j] == dial.tokens[t]) longest = std::max(longest, way_length(dial.steps, j));
    return longest > kTellingWay * radius_of(dial.steps);
}

// --- the way of a step -----------------------------------------------------------------------------------------------

/// The linear part taken s of the way, applied to an arm.
PlanePoint part_way(const StepPieces& step, PlanePoint arm, double s) {
    return std::pow(step.retention, s) * turned(arm, s * step.turn);
}

std::vector<Point> way_of(const Steps& steps, std::size_t t) {
    const StepPieces& step = steps.steps[t];
    const PlanePoint from = before_step(steps, t);
    if (verb_of(step) != Verb::turns || !step.fixed_point) return {point(from), point(step.u)};
    std::vector<Point> way;
    for (int i = 0; i <= kWayPoints; ++i)
        way.push_back(point(*step.fixed_point + part_way(step, from - *step.fixed_point, double(i) / kWayPoints)));
    return way;
}

// --- marks -----------------------------------------------------------------------------------------------------------

/// A small flag at `tip`: a pole and a pennant, taken along by `frame`.
void add_flag(Panel& panel, const std::string& id, PlanePoint tip, const trace::PlaneMap& frame, double size,
              const Style& style) {
    const auto at = [&](double x, double y) { return point(tip + frame * PlanePoint{size * x, size * y}); };
    panel.marks.push_back(
        Line{id + ".pole", {at(0, 0), at(0, 1)}, {style.role, Weight::data, style.strength, Dash::solid}});
    panel.marks.push_back(Region{id, {at(0, 1), at(0.6, 0.76), at(0, 0.52)}, style});
}

/// The product of the linear parts from `first` on up to and without `end`, no smaller than can be seen.
trace::PlaneMap frame_before(const Steps& steps, std::size_t first, std::size_t end) {
    trace::PlaneMap frame = {1, 0, 0, 1};
    for (std::size_t t = first; t < end; ++t) {
        const trace::PlaneMap& m = steps.steps[t].linear;
        frame = {m[0] * frame[0] + m[1] * frame[2], m[0] * frame[1] + m[1] * frame[3],
                 m[2] * frame[0] + m[3] * frame[2], m[2] * frame[1] + m[3] * frame[3]};
    }
    constexpr double kLeast = 0.3;
    const double size = std::sqrt(
        std::max({frame[0] * frame[0] + frame[2] * frame[2], frame[1] * frame[1] + frame[3] * frame[3], 1e-30}));
    if (size < kLeast)
        for (double& entry : frame) entry *= kLeast / size;
    return frame;
}

void add_trail(Panel& panel, const Dial& dial, std::size_t chosen) {
    const std::size_t count = dial.steps.steps.size(), first = count > kTrail ? count - kTrail : 0;
    for (std::size_t t = first; t < count; ++t) {
        if (t == chosen) continue;
        const double age = static_cast<double>(count - t) / static_cast<double>(std::min(count, kTrail) + 1);
        panel.marks.push_back(Points{"tip." + std::to_string(t),
                                     {point(dial.steps.steps[t].u)},
                                     {dial.role, Weight::data, 0.75 - 0.55 * age},
                                     Shape::by_role,
                                     false,
                                     "",
                                     {0.35}});
    }
}

/// So few tokens that each step can be told apart.
bool is_short(const Dial& dial) {
    return dial.steps.steps.size() <= 8;
}

/// "first", "second" … of the same token among the steps that move.
std::string ordinal(std::size_t n) {
    static const char* names[] = {"first", "second", "third", "fourth", "fifth", "sixth"};
    return n < 6 ? names[n] : std::to_string(n + 1) + "th";
}

/// A straight way is drawn beside itself, in a lane of its own, so that ways back and forth do not hide each other. The
/// half turns of a short text carry their labels a little inside their middles; others find room for themselves.
void add_motion(Panel& panel, const Dial& dial, std::size_t t, std::size_t lane, const std::string& label,
                const Style& style) {
    if (!(way_length(dial.steps, t) > 1e-9 * radius_of(dial.steps))) return;  // it rests
    std::vector<Point> way = way_of(dial.steps, t);
    const std::string id = "motion." + std::to_string(t);
    const bool inside = way.size() > 2 && is_short(dial);
    if (way.size() == 2) {
        const PlanePoint from{way[0].x, way[0].y}, to{way[1].x, way[1].y},
            along = (1 / length(to - from)) * (to - from);
        PlanePoint beside{along.y, -along.x};
        if (beside.y > 0) beside = -1.0 * beside;  // below
        const PlanePoint shift = (kLane * radius_of(dial.steps) * static_cast<double>(lane + 1)) * beside;
        way = {point(from + shift), point(to + shift)};
    }
    panel.marks.push_back(Line{id, way, style, inside ? "" : label});
    panel.marks.push_back(Arrow{id + ".head", way[way.size() - 2], way.back(), style});
    if (!inside) return;
    const PlanePoint hinge = *dial.steps.steps[t].fixed_point, middle{way[way.size() / 2].x, way[way.size() / 2].y};
    panel.marks.push_back(Text{id + ".label", point(hinge + 0.72 * (middle - hinge)), label, {Role::ink}});
}

void add_motions(Panel& panel, const Dial& dial, std::size_t chosen) {
    std::vector<std::size_t> moving;
    for (std::size_t t = 0; t <= chosen; ++t)
        if (t == chosen || is_telling(dial, t)) moving.push_back(t);
    const std::size_t first = moving.size() > kMotions ? moving.size() - kMotions : 0;
    for (std::size_t i = first; i < moving.size(); ++i) {
        const std::size_t t = moving[i];
        std::size_t same = 0;
        for (std::size_t j = 0; j < i; ++j) same += dial.tokens[moving[j]] == dial.tokens[t];
        const bool short_text = is_short(dial);
        const std::string label = "**" + dial.tokens[t] + "**" + (short_text ? " " + ordinal(same) : "");
        add_motion(panel, dial, t, i - first, label, {dial.role, Weight::data, t == chosen ? 0.8 : 0.45, Dash::solid});
    }
}

void add_mirror(Panel& panel, const Dial& dial, const Hinge& hinge, double radius) {
    const PlanePoint across{-hinge.along.y, hinge.along.x};
    panel.marks.push_back(Line{"mirror",
                               {point(hinge.at - 0.75 * radius * across), point(hinge.at + 0.75 * radius * across)},
                               {dial.role, Weight::data, 1, Dash::dashed},
                               "mirror"});
}

/// The hinge, with the arms from it to the state before and after; or, far away, an arrow that points to it.
void add_hinge(Panel& panel, const Dial& dial, std::size_t chosen, double radius, bool small) {
    const auto hinge = hinge_of(dial.steps.steps[chosen]);
    if (!hinge) return;
    const PlanePoint from = before_step(dial.steps, chosen), to = dial.steps.steps[chosen].u;
    const double distance = length(hinge->at - to);
    if (distance > kFarHinge * radius) {
        const PlanePoint direction = (1 / distance) * (hinge->at - to);
        panel.marks.push_back(Arrow{"far_hinge",
                                    point(to + 0.55 * radius * direction),
                                    point(to + 0.95 * radius * direction),
                                    {Role::secondary, Weight::data},
                                    small ? "" : fmt::format("hinge, {:.3g} away", distance)});
        return;
    }
    if (hinge->mirror) add_mirror(panel, dial, *hinge, radius);
    const PlanePoint foot_before = hinge->mirror
                                       ? hinge->at + inner(from - hinge->at, {-hinge->along.y, hinge->along.x}) *
                                                         PlanePoint{-hinge->along.y, hinge->along.x}
                                       : hinge->at;
    panel.marks.push_back(
        Arrow{"arm.before", point(foot_before), point(from), {dial.role, Weight::data, 0.35, Dash::solid}});
    panel.marks.push_back(Arrow{"arm", point(hinge->at), point(to), {dial.role, Weight::arrow, 1, Dash::solid}});
    panel.marks.push_back(Points{"hinge",
                                 {point(hinge->at)},
                                 {dial.role, Weight::chosen},
                                 Shape::disc,
                                 true,
                                 small || hinge->mirror ? "" : "hinge"});
}

void add_flags(Panel& panel, const Dial& dial, std::size_t chosen, double radius) {
    const std::size_t window = is_short(dial) ? 0 : chosen;
    const double size = 0.28 * radius;
    add_flag(panel, "flag.before", before_step(dial.steps, chosen), frame_before(dial.steps, window, chosen), size,
             {dial.role, Weight::data, 0.35});
    add_flag(panel, "flag", dial.steps.steps[chosen].u, frame_before(dial.steps, window, chosen + 1), size,
             {dial.role, Weight::data, 1});
}

/// Limits that hold all marks that are points of the plane, and the origin.
void set_limits(Panel& panel) {
    double low_x = 0, high_x = 0, low_y = 0, high_y = 0;
    const auto take = [&](Point p) {
        low_x = std::min(low_x, p.x), high_x = std::max(high_x, p.x);
        low_y = std::min(low_y, p.y), high_y = std::max(high_y, p.y);
    };
    for (const Mark& mark : panel.marks) {
        if (const auto* line = std::get_if<Line>(&mark)) std::for_each(line->points.begin(), line->points.end(), take);
        if (const auto* points = std::get_if<Points>(&mark))
            std::for_each(points->points.begin(), points->points.end(), take);
        if (const auto* region = std::get_if<Region>(&mark))
            std::for_each(region->outline.begin(), region->outline.end(), take);
        if (const auto* arrow = std::get_if<Arrow>(&mark)) take(arrow->from), take(arrow->to);
        if (const auto* text = std::get_if<Text>(&mark)) take(text->at);
    }
    const double room = 0.16 * std::max({high_x - low_x, high_y - low_y, 1e-12});
    panel.x.low = low_x - room, panel.x.high = high_x + room;
    panel.y.low = low_y - room, panel.y.high = high_y + room;
}

}  // namespace

Verb verb_of(const StepPieces& step) {
    if (step.eigenvalue < -kLeastFlip) return Verb::flips;
    if (std::abs(step.turn) * kDegrees > kLeastTurn) return Verb::turns;
    const bool still = std::abs(step.eigenvalue - 1) < 1e-9 && std::abs(step.turn) < 1e-9;
    return still && length(step.before + step.now) < 1e-9 ? Verb::rests : Verb::slides;
}

std::optional<Hinge> hinge_of(const StepPieces& step) {
    const double size = length(step.key);
    if (size < 1e-9) {
        if (!step.fixed_point) return std::nullopt;
        return Hinge{*step.fixed_point, false, {}};
    }
    const PlanePoint along = (1 / size) * step.key;
    const double eigenvalue = inner(along, step.linear * along);
    if (std::abs(1 - eigenvalue) < 1e-9) return std::nullopt;
    const double offset = inner(along, step.now + step.hidden) / (1 - eigenvalue);
    const PlanePoint foot = step.u + (offset - inner(along, step.u)) * along;
    return Hinge{foot, true, along};
}

std::size_t chosen_step(const Dial& dial) {
    if (dial.chosen) return *dial.chosen;
    const Steps& steps = dial.steps;
    std::size_t longest = steps.steps.size() - 1;
    for (std::size_t t = steps.steps.size(); t-- > 0;) {
        if (!hinge_of(steps.steps[t])) continue;
        if (is_telling(dial, t)) return t;
        if (way_length(steps, t) > way_length(steps, longest)) longest = t;
    }
    return longest;
}

Panel dial_panel(const Dial& dial, bool small) {
    Panel panel;
    panel.equal = panel.canvas = true;
    const std::size_t chosen = chosen_step(dial);
    const double radius = radius_of(dial.steps);
    add_trail(panel, dial, chosen);
    if (!small) add_motions(panel, dial, chosen);
    add_hinge(panel, dial, chosen, radius, small);
    if (!small) add_flags(panel, dial, chosen, radius);
    if (!small) panel.x.label = dial.x_label, panel.y.label = dial.y_label;
    set_limits(panel);
    return panel;
}

std::string verb_text(const Dial& dial) {
    switch (verb_of(dial.steps.steps[chosen_step(dial)])) {
        case Verb::turns:
            return "turns about its hinge";
        case Verb::flips:
            return "flips across a mirror";
        case Verb::slides:
            return "slides toward its hinge";
        case Verb::rests:
            break;
    }
    return "rests";
}

std::string step_sentence(const Dial& dial) {
    const std::size_t t = chosen_step(dial);
    const StepPieces& step = dial.steps.steps[t];
    const std::string token = "“" + dial.tokens[t] + "”";
    switch (verb_of(step)) {
        case Verb::turns:
            return fmt::format("{}: a {} turns the state by {:.2f}° and keeps {:.2f} % of its distance from the hinge.",
                               dial.name, token, std::abs(step.turn) * kDegrees, 100 * step.retention);
        case Verb::flips:
            return fmt::format("{}: a {} multiplies the state along its key by {:.3f} and keeps {:.2f} % across it.",
                               dial.name, token, step.eigenvalue, 100 * step.retention);
        case Verb::slides:
            return fmt::format("{}: a {} leaves {:.2f} % of the state's distance from the point it slides to.",
                               dial.name, token, 100 * step.eigenvalue);
        case Verb::rests:
            break;
    }
    return fmt::format("{}: a {} leaves the state where it is.", dial.name, token);
}

}  // namespace whorl::viz
