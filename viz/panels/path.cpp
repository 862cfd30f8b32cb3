#include "viz/panels/path.hpp"

#include <algorithm>
#include <cmath>

#include "core/numerics/rotation.hpp"
#include "viz/panels/clip.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using numerics::Complex;
using numerics::DiscretizationRule;
using plot::Point;
using plot::Weight;

constexpr int kCurvePoints = 400;
constexpr int kMostPoints = 64;  // beyond, points hide their line

/// One rule's states and how far they stray.
struct RuleWalk {
    DiscretizationRule rule;
    std::vector<Point> points;  // time, Re h
    double largest_error = 0;
};

struct RulePaths {
    std::vector<Point> exact;
    double largest = 0;  // |h| of the exact states
    std::vector<RuleWalk> walks;
};

std::vector<double> times(double step, int steps) {
    std::vector<double> at;
    for (int k = 0; k <= steps; ++k) at.push_back(k * step);
    return at;
}

std::vector<Point> real_parts(const std::vector<double>& time, const std::vector<Complex>& state) {
    std::vector<Point> points;
    for (std::size_t k = 0; k < time.size(); ++k) points.push_back({time[k], state[k].real()});
    return points;
}

double largest_distance(const std::vector<Complex>& a, const std::vector<Complex>& b) {
    double largest = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        const double distance = std::abs(a[k] - b[k]);
        largest = std::isfinite(distance) ? std::max(largest, distance) : distance;
        if (!std::isfinite(largest)) return HUGE_VAL;
    }
    return largest;
}

RulePaths solve(const StepLab& lab) {
    RulePaths paths;
    numerics::LinearOde ode = equation(lab);
    const auto curve_times = times(lab.duration / kCurvePoints, kCurvePoints);
    const auto curve = exact_states(ode, curve_times);
    paths.exact = real_parts(curve_times, curve);
    for (const Complex h : curve) paths.largest = std::max(paths.largest, std::abs(h));
    const int steps = std::max(1, static_cast<int>(lab.duration / lab.dt * (1 + 1e-12)));
    ode.duration = steps * lab.dt;
    const auto at = times(lab.dt, steps);
    const auto exact = exact_states(ode, at);
    for (const DiscretizationRule rule : lab.rules) {
        const auto states = integrate(ode, step_rule(lab, rule), steps, lab.a_at);
        paths.walks.push_back({rule, real_parts(at, states), largest_distance(states, exact)});
    }
    return paths;
}

/// The rules that stray least; several where they are the same to rounding.
std::vector<std::string> closest(const RulePaths& paths) {
    double least = HUGE_VAL;
    for (const RuleWalk& walk : paths.walks) least = std::min(least, walk.largest_error);
    std::vector<std::string> names;
    for (const RuleWalk& walk : paths.walks)
        if (walk.largest_error <= least * (1 + 1e-9) + 1e-13 * paths.largest)
            names.push_back(style_of(walk.rule).spoken);
    return names;
}

std::string claim(const StepLab& lab, const RulePaths& paths) {
    const std::string at = "At Δ = " + number(lab.dt);
    double least = HUGE_VAL;
    for (const RuleWalk& walk : paths.walks) least = std::min(least, walk.largest_error);
    if (!(least < paths.largest)) return at + " no rule stays near the path";
    if (paths.walks.size() == 1)
        return at + " " + closest(paths)[0] + " strays by up to " + percent(least / paths.largest) +
               " of the path's height";
    const std::vector<std::string> names = closest(paths);
    return at + " " + list(names) + (names.size() == 1 ? " stays" : " stay") + " closest to the path";
}

/// The exact curve and half its height more on either side.
plot::Axis path_axis(const std::vector<Point>& exact) {
    double low = 0, high = 0;
    for (const Point p : exact) {
        low = std::min(low, p.y);
        high = std::max(high, p.y);
    }
    const double room = 0.5 * (high - low);
    plot::Axis axis;
    axis.label = "Re h";
    axis.low = low - room;
    axis.high = high + room;
    return axis;
}

void add_walk(plot::Panel& panel, const RuleWalk& walk) {
    const RuleStyle& style = style_of(walk.rule);
    const auto seen = first_part(between_heights(walk.points, panel.y.low, panel.y.high));
    panel.marks.push_back(
        plot::Line{.id = style.id, .points = seen, .style = {style.role, Weight::context, 0.8}, .label = style.name});
    if (walk.points.size() > kMostPoints) return;
    plot::Points markers{.id = style.id + ".points", .points = {}, .style = {style.role}};
    for (const Point p : walk.points) {
        if (!(p.y >= panel.y.low && p.y <= panel.y.high)) break;
        markers.points.push_back(p);
    }
    panel.marks.push_back(std::move(markers));
}

std::vector<std::string> words(const StepLab& lab, const RulePaths& paths) {
    std::vector<std::string> sentences{"The exact curve of " + description(lab) + " over " + number(lab.duration) +
                                       " units of time, its distance from 0 up to " + number(paths.largest) + "."};
    for (const RuleWalk& walk : paths.walks) {
        const std::string name = capital(style_of(walk.rule).spoken);
        const double share = walk.largest_error / paths.largest;
        sentences.push_back(share < 100 ? name + " strays from it by up to " + percent(share) + " of that."
                                        : name + " leaves it: by more than 100 times that.");
    }
    return sentences;
}

}  // namespace

plot::Figure path_figure(const StepLab& lab) {
    check(lab);
    const RulePaths paths = solve(lab);
    plot::Panel panel;
    panel.id = "path";
    panel.x = {.label = "time", .low = 0, .high = lab.duration};
    panel.y = path_axis(paths.exact);
    for (const RuleWalk& walk : paths.walks) add_walk(panel, walk);
    panel.marks.push_back(plot::Line{
        .id = "exact", .points = paths.exact, .style = {plot::Role::truth, Weight::chosen}, .label = "exact"});
    plot::Figure figure;
    figure.id = "path";
    figure.claim = claim(lab, paths);
    const Complex z = lab.dt * Complex(-lab.decay, lab.rotation);
    figure.subtitle = description(lab) + "; Δ|A| = " + number(std::abs(z)) + ", " +
                      number(std::fabs(z.imag()) * 180 / numerics::pi<double>) + "° a step";
    figure.panels.push_back(std::move(panel));
    figure.words = words(lab, paths);
    return figure;
}

}  // namespace whorl::viz
