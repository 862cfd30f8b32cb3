#include "viz/panels/own_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "viz/panels/clip.hpp"
#include "viz/panels/rule_style.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using numerics::Between;
using numerics::Complex;
using numerics::DiscretizationRule;
using plot::Point;
using plot::Role;
using plot::Weight;

constexpr int kPointsInAStep = 24;
constexpr std::size_t kMostMarkers = 64;

[[noreturn]] void refuse(const std::string& what) {
    throw UserError("own input: " + what);
}

void check(const OwnInputState& state) {
    const std::size_t length = state.tokens.size();
    if (length == 0) refuse("there is no token; give one at least");
    if (state.dt.size() != length || state.a.size() != length || state.input.size() != length ||
        state.lambda.size() != length)
        refuse(fmt::format("{} tokens need as many Δ, A, inputs and λ, not {}, {}, {} and {}", length, state.dt.size(),
                           state.a.size(), state.input.size(), state.lambda.size()));
    for (std::size_t t = 0; t < length; ++t) {
        const bool finite = std::isfinite(state.dt[t]) && std::isfinite(std::abs(state.a[t])) &&
                            std::isfinite(std::abs(state.input[t]));
        if (!finite) refuse(fmt::format("Δ, A or the input of step {} is not finite", t));
        if (state.dt[t] < 0) refuse(fmt::format("the Δ of step {} is {}; it must be ≥ 0", t, number(state.dt[t])));
        if (!(state.lambda[t] >= 0 && state.lambda[t] <= 1))
            refuse(fmt::format("the λ of step {} is {}; it must be in 0 … 1", t, number(state.lambda[t])));
    }
}

numerics::PiecewiseOde equation(const OwnInputState& state) {
    return {.dt = state.dt, .a = state.a, .input = state.input, .between = state.between};
}

struct Walk {
    DiscretizationRule rule;
    std::vector<Complex> states;
    std::vector<double> distance;  // from the exact states
    double largest = 0;            // of the distances; infinite where the rule left the numbers
};

struct Paths {
    std::vector<Complex> curve, exact;
    double largest = 0;  // |h| of the exact states
    std::vector<Walk> walks;
};

Walk walk(const OwnInputState& state, DiscretizationRule rule, const std::vector<Complex>& exact) {
    Walk walk{.rule = rule, .states = integrate(equation(state), rule, state.lambda), .distance = {}};
    for (std::size_t k = 0; k < exact.size(); ++k) {
        const double distance = std::abs(walk.states[k] - exact[k]);
        walk.distance.push_back(distance);
        walk.largest = std::isfinite(distance) ? std::max(walk.largest, distance) : HUGE_VAL;
    }
    return walk;
}

Paths solve(const OwnInputState& state) {
    Paths paths;
    paths.curve = exact_path(equation(state), kPointsInAStep);
    paths.exact = exact_states(equation(state));
    for (const Complex h : paths.exact) paths.largest = std::max(paths.largest, std::abs(h));
    for (const DiscretizationRule rule : all_rules()) paths.walks.push_back(walk(state, rule, paths.exact));
    return paths;
}

const Walk& models_own(const Paths& paths) {
    return *std::find_if(paths.walks.begin(), paths.walks.end(),
                         [](const Walk& w) { return w.rule == DiscretizationRule::exponential_trapezoid; });
}

/// "by up to 34 %" of the largest exact state.
std::string off_text(double distance, const Paths& paths) {
    const double share = distance == 0 ? 0 : distance / paths.largest;
    if (share < 1e-12) return "by 0 %";
    return share < 10 ? "by up to " + percent(share) : "by more than ten times";
}

std::string reading(Between between) {
    return between == Between::held ? "held" : "straight";
}

std::string claim(const OwnInputState& state, const Paths& paths) {
    const std::string start = "Input " + reading(state.between) + " between tokens: the model's rule is ";
    const double largest = models_own(paths).largest;
    if (largest <= 1e-12 * paths.largest) return start + "exact";
    return start + "off " + off_text(largest, paths);
}

plot::Axis token_axis(const OwnInputState& state) {
    plot::Axis axis;
    axis.label = "token, each step drawn equally long";
    axis.low = 0;
    axis.high = double(state.tokens.size());
    for (std::size_t t = 0; t < state.tokens.size(); ++t) axis.ticks.push_back({double(t + 1), state.tokens[t]});
    return axis;
}

/// The exact curve and what the model makes of it, if that is not over three times as far out, with some room.
plot::Axis height_axis(const Paths& paths) {
    double low = 0, high = 0;
    for (const Complex h : paths.curve) {
        low = std::min(low, h.real());
        high = std::max(high, h.real());
    }
    const double height = high > low ? high - low : 1, lowest = low - 3 * height, highest = high + 3 * height;
    for (const Complex h : models_own(paths).states) {
        if (!(h.real() >= lowest && h.real() <= highest)) break;
        low = std::min(low, h.real());
        high = std::max(high, h.real());
    }
    plot::Axis axis;
    axis.label = "Re h";
    axis.low = low - 0.3 * height;
    axis.high = high + 0.3 * height;
    return axis;
}

std::vector<Point> real_parts(const std::vector<Complex>& states, double step) {
    std::vector<Point> points;
    for (std::size_t k = 0; k < states.size(); ++k) points.push_back({double(k) * step, states[k].real()});
    return points;
}

plot::Panel path_panel(const OwnInputState& state, const Paths& paths) {
    plot::Panel panel;
    panel.id = "path";
    panel.x = token_axis(state);
    panel.x.label.clear();  // the panel below says it
    panel.y = height_axis(paths);
    for (const Walk& walk : paths.walks) {
        const RuleStyle& style = style_of(walk.rule);
        const bool own = walk.rule == DiscretizationRule::exponential_trapezoid;
        const auto seen = first_part(between_heights(real_parts(walk.states, 1), panel.y.low, panel.y.high));
        panel.marks.push_back(plot::Line{.id = style.id,
                                         .points = seen,
                                         .style = {style.role, own ? Weight::data : Weight::context, own ? 1 : 0.8},
                                         .label = own ? style.name + ", the model's" : style.name});
        if (state.tokens.size() > kMostMarkers) continue;
        plot::Points markers{.id = style.id + ".points", .points = {}, .style = {style.role}};
        for (const Point p : real_parts(walk.states, 1)) {
            if (!(p.y >= panel.y.low && p.y <= panel.y.high)) break;
            markers.points.push_back(p);
        }
        panel.marks.push_back(std::move(markers));
    }
    panel.marks.push_back(plot::Line{.id = "exact",
                                     .points = real_parts(paths.curve, 1.0 / kPointsInAStep),
                                     .style = {Role::truth, Weight::chosen},
                                     .label = "exact, input " + reading(state.between)});
    return panel;
}

/// The rules' distances, up to twice the largest exact state: what is further off has failed.
plot::Panel distance_panel(const OwnInputState& state, const Paths& paths) {
    plot::Panel panel;
    panel.id = "distance";
    panel.row = 1;
    panel.x = token_axis(state);
    panel.y.label = "|h − exact|";
    panel.y.low = 0;
    panel.y.high = paths.largest > 0 ? 2 * paths.largest : 1;
    for (const Walk& walk : paths.walks) {
        const RuleStyle& style = style_of(walk.rule);
        std::vector<Point> points;
        for (std::size_t k = 0; k < walk.distance.size(); ++k) points.push_back({double(k), walk.distance[k]});
        const bool own = walk.rule == DiscretizationRule::exponential_trapezoid;
        panel.marks.push_back(plot::Line{.id = style.id,
                                         .points = first_part(between_heights(points, 0, panel.y.high)),
                                         .style = {style.role, own ? Weight::chosen : Weight::data}});
    }
    return panel;
}

std::vector<std::string> words(const OwnInputState& state, const Paths& paths) {
    std::vector<std::string> sentences{
        fmt::format("The exact state of {} tokens read with the input {} between them; its largest size is {}.",
                    state.tokens.size(), reading(state.between), number(paths.largest))};
    for (const Walk& walk : paths.walks) {
        const RuleStyle& style = style_of(walk.rule);
        const bool own = walk.rule == DiscretizationRule::exponential_trapezoid;
        sentences.push_back(capital(style.spoken) + (own ? " with the model's λ" : "") + " is off " +
                            off_text(walk.largest, paths) + " of that.");
    }
    return sentences;
}

}  // namespace

plot::Figure own_input_figure(const OwnInputState& state) {
    check(state);
    const Paths paths = solve(state);
    plot::Figure figure;
    figure.id = "own-input";
    figure.claim = claim(state, paths);
    figure.subtitle = "the model's own Δ, A − iθ and inputs" + (state.place.empty() ? "" : ", " + state.place) +
                      ": exact solution and each rule";
    figure.panels.push_back(path_panel(state, paths));
    figure.panels.push_back(distance_panel(state, paths));
    figure.row_shares = {0.64, 0.36};
    figure.words = words(state, paths);
    return figure;
}

}  // namespace whorl::viz
