#include "viz/panels/turning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/numerics/rotation.hpp"
#include "viz/panels/degrees.hpp"
#include "viz/panels/rule_style.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using Complex = std::complex<double>;
using numerics::DiscretizationRule;
using plot::Point;
using plot::Role;
using plot::Weight;

constexpr double kFurthest = 4.2;  // Im z

/// Rules whose factors turn alike along the imaginary axis share a line.
struct TurnGroup {
    std::vector<DiscretizationRule> rules;
    std::vector<Point> points;  // Im z, degrees

    bool has(DiscretizationRule rule) const { return std::find(rules.begin(), rules.end(), rule) != rules.end(); }
    bool exact() const {
        return std::all_of(points.begin(), points.end(),
                           [](Point p) { return std::fabs(p.y - p.x * kDegrees) < 1e-9; });
    }
};

std::vector<Point> turn_curve(DiscretizationRule rule) {
    std::vector<Point> points;
    for (int i = 0; i <= 84; ++i) {
        const double y = kFurthest * i / 84;
        points.push_back({y, turned_angle(rule, y) * kDegrees});
    }
    return points;
}

bool alike(const std::vector<Point>& a, const std::vector<Point>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::fabs(a[i].y - b[i].y) > 1e-9) return false;
    return true;
}

std::vector<TurnGroup> turn_groups() {
    std::vector<TurnGroup> groups;
    for (const DiscretizationRule rule : all_rules()) {
        auto points = turn_curve(rule);
        const auto same = std::find_if(groups.begin(), groups.end(),
                                       [&](const TurnGroup& group) { return alike(group.points, points); });
        if (same == groups.end())
            groups.push_back({{rule}, std::move(points)});
        else
            same->rules.push_back(rule);
    }
    return groups;
}

std::string label_of(const TurnGroup& group) {
    if (group.exact()) return "e^{z}, " + count(group.rules.size()) + " rules";
    std::vector<std::string> names;
    for (const DiscretizationRule rule : group.rules) names.push_back(style_of(rule).name);
    return list(names);
}

}  // namespace

plot::Panel turning_panel(DiscretizationRule chosen) {
    plot::Panel panel;
    panel.id = "turning";
    panel.title = "Angle of α on the imaginary axis";
    panel.column = 1;
    panel.x = {.label = "Im z", .low = 0, .high = kFurthest, .ticks = {{0, "0"}, {kPi / 2, "π/2"}, {kPi, "π"}}};
    panel.y = {.label = "arg α", .low = 0, .high = 250, .ticks = {{0, "0"}, {90, "90°"}, {180, "180°"}}};
    panel.marks.push_back(plot::Rule{.id = "half-turn",
                                     .along = plot::Direction::x,
                                     .at = kPi,
                                     .style = {Role::secondary, Weight::hair, 1, plot::Dash::dashed}});
    for (const TurnGroup& group : turn_groups()) {
        const bool has_it = group.has(chosen);
        const RuleStyle& style = style_of(has_it ? chosen : group.rules.front());
        const Role role = !has_it && group.exact() ? Role::truth : style.role;
        panel.marks.push_back(plot::Line{.id = style.id,
                                         .points = group.points,
                                         .style = {role, has_it ? Weight::chosen : Weight::data},
                                         .label = label_of(group)});
    }
    const double angle = turned_angle(chosen, kPi) * kDegrees;
    panel.marks.push_back(plot::Points{
        .id = "at-half-turn", .points = {{kPi, angle}}, .style = {Role::accent}, .label = number(angle) + "°"});
    return panel;
}

std::vector<std::string> turning_words() {
    std::vector<std::string> sentences;
    for (const TurnGroup& group : turn_groups()) {
        std::vector<std::string> names;
        for (const DiscretizationRule rule : group.rules) names.push_back(style_of(rule).spoken);
        const double angle = turned_angle(group.rules.front(), kPi) * kDegrees;
        sentences.push_back(
            fmt::format("There {} {} by {:.0f}°.", list(names), names.size() > 1 ? "turn" : "turns", angle));
    }
    return sentences;
}

Complex factor(numerics::DiscretizationRule rule, Complex z) {
    return numerics::discretize(rule, 1.0, z).alpha;
}

double turned_angle(numerics::DiscretizationRule rule, double y) {
    // In pieces over which no rule's factor turns by as much as half a turn: the sum of their angles does not wrap.
    const int pieces = 1 + static_cast<int>(std::fabs(y));
    double angle = 0;
    for (int k = 0; k < pieces; ++k) {
        const Complex before = factor(rule, {0, y * k / pieces}), after = factor(rule, {0, y * (k + 1) / pieces});
        angle += std::arg(after / before);
    }
    return angle;
}

double limit_of_turning(DiscretizationRule rule) {
    double angle = 0;
    for (double y = 1e-3; y < 1e9; y *= 10) {
        const double next = std::arg(factor(rule, {0, y}));
        if (next < angle) return HUGE_VAL;  // it has gone past half a turn
        angle = next;
    }
    return angle;
}

}  // namespace whorl::viz
