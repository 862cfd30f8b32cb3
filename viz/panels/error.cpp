#include "viz/panels/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "viz/panels/clip.hpp"
#include "viz/panels/error_curves.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using numerics::DiscretizationRule;
using plot::Point;
using plot::Role;
using plot::Weight;

std::vector<std::string> names_where(const std::vector<ErrorCurve>& curves, bool (*chosen)(const ErrorCurve&)) {
    std::vector<std::string> names;
    for (const ErrorCurve& curve : curves)
        if (chosen(curve)) names.push_back(style_of(curve.rule).spoken);
    return names;
}

std::string claim(const std::vector<ErrorCurve>& curves) {
    const auto quarter = names_where(curves, [](const ErrorCurve& c) { return c.of_order(2); });
    const auto half = names_where(curves, [](const ErrorCurve& c) { return c.of_order(1); });
    const std::string start = "Halve the step: ";
    if (curves.size() == 1 && !quarter.empty()) return start + quarter[0] + " quarters its error";
    if (curves.size() == 1 && !half.empty()) return start + half[0] + " halves its error";
    if (half.size() == curves.size()) return start + "every rule halves its error, none quarters it";
    if (quarter.size() == curves.size()) return start + "every rule quarters its error";
    if (quarter.empty()) return start + "no rule quarters its error";
    if (quarter.size() == 1) return start + "only " + quarter[0] + " quarters its error";
    return start + count(quarter.size()) + " rules quarter their error";
}

double decade_below(double value) {
    return std::pow(10, std::floor(std::log10(value)));
}

/// From the smallest error to the largest; a rule that blows up is cut two decades above the crowd's, at 100.
plot::Axis error_axis(const std::vector<ErrorCurve>& curves) {
    double low = 1e-1, high = 1;
    for (const ErrorCurve& curve : curves)
        for (const Point p : curve.points) {
            low = std::min(low, p.y);
            high = std::max(high, p.y);
        }
    plot::Axis axis{.label = "error at the end", .scale = plot::Scale::log};
    axis.low = decade_below(low);
    axis.high = std::min(100.0, decade_below(high) * 10);
    return axis;
}

plot::Axis step_axis(const StepLab& lab, const std::optional<ModelSteps>& model) {
    plot::Axis axis{.label = "Δ|A|", .scale = plot::Scale::log};
    axis.low = lab.duration / kErrorSteps.back() * rate(lab) / 1.5;
    axis.high = lab.duration / kErrorSteps.front() * rate(lab) * 1.5;
    axis.low = std::min(axis.low, lab.dt * rate(lab));
    axis.high = std::max(axis.high, lab.dt * rate(lab));
    if (model) {
        axis.low = std::min(axis.low, model->low);
        axis.high = std::max(axis.high, model->high);
    }
    return axis;
}

std::vector<Point> in_logs(std::vector<Point> points) {
    for (Point& p : points) p = {std::log(p.x), std::log(p.y)};
    return points;
}

/// What is seen of a curve from its shortest steps on: up to where its straight pieces, on this paper, leave the panel.
std::vector<Point> seen(const ErrorCurve& curve, const plot::Axis& y) {
    if (std::all_of(curve.points.begin(), curve.points.end(), [&](Point p) { return p.y <= y.high; }))
        return curve.points;
    auto points = in_logs(curve.points);
    std::reverse(points.begin(), points.end());
    points = first_part(between_heights(points, std::log(y.low), std::log(y.high)));
    std::reverse(points.begin(), points.end());
    for (Point& p : points) p = {std::exp(p.x), std::min(std::exp(p.y), y.high)};
    return points;
}

void add_curve(plot::Panel& panel, const ErrorCurve& curve) {
    if (curve.points.empty()) return;
    const RuleStyle& style = style_of(curve.rule);
    const bool layers = style.role == Role::mamba3 || style.role == Role::mamba2;
    panel.marks.push_back(plot::Line{.id = style.id,
                                     .points = seen(curve, panel.y),
                                     .style = {style.role, layers ? Weight::chosen : Weight::data},
                                     .label = fmt::format("{}, slope {:.2f}", style.name, curve.slope)});
}

/// Where a triangle's corners lie along x: the one of slope 1 further left, so that the two stand apart.
struct Legs {
    double begin, end;
};
Legs legs(const plot::Axis& x, int slope) {
    const double left = slope == 1 ? 0.14 : 0.3, length = std::log(x.high / x.low);
    return {x.low * std::exp(left * length), x.low * std::exp((left + 0.12) * length)};
}

/// The height at `x` of the lowest line of that slope that stays below all points right of it: of the curves of that
/// order, or of all where none is.
double height_below(const std::vector<ErrorCurve>& curves, double x, int slope) {
    const bool any = std::any_of(curves.begin(), curves.end(), [&](const ErrorCurve& c) { return c.of_order(slope); });
    double lowest = HUGE_VAL;
    for (const ErrorCurve& curve : curves)
        for (const Point p : curve.points)
            if (p.x >= x && (!any || curve.of_order(slope))) lowest = std::min(lowest, p.y * std::pow(x / p.x, slope));
    return lowest;
}

/// A right triangle whose long side has that slope, a little below the lines of that order.
void add_triangle(plot::Panel& panel, const std::vector<ErrorCurve>& curves, int slope) {
    const auto [begin, end] = legs(panel.x, slope);
    const double lowest = height_below(curves, begin, slope);
    if (!std::isfinite(lowest)) return;
    const double base = std::max(lowest / 3, panel.y.low * 1.3), top = base * std::pow(end / begin, slope);
    if (top > panel.y.high) return;  // no line of the kind is low enough
    panel.marks.push_back(plot::Line{.id = fmt::format("slope-{}", slope),
                                     .points = {{begin, base}, {end, base}, {end, top}, {begin, base}},
                                     .style = {Role::secondary, Weight::hair, 1, plot::Dash::solid}});
    panel.marks.push_back(plot::Text{.id = fmt::format("slope-{}.text", slope),
                                     .at = {end * 1.1, std::sqrt(base * top)},
                                     .text = fmt::format("**{}**", slope),
                                     .style = {Role::secondary},
                                     .anchor = plot::Anchor::left});
}

std::vector<std::string> words(const StepLab& lab, const std::vector<ErrorCurve>& curves,
                               const std::optional<ModelSteps>& model) {
    const auto size = [&](int steps) { return number(lab.duration / steps * rate(lab)); };
    std::vector<std::string> sentences{"Error at time " + number(lab.duration) + " of " + description(lab) +
                                       ", with steps from Δ|A| = " + size(kErrorSteps.front()) + " down to " +
                                       size(kErrorSteps.back()) + "."};
    for (const ErrorCurve& curve : curves) {
        const std::string name = capital(style_of(curve.rule).spoken);
        if (curve.exact)
            sentences.push_back(name + " is exact here.");
        else if (curve.points.empty())
            sentences.push_back(name + " leaves the numbers at every step.");
        else
            sentences.push_back(fmt::format("{}: slope {:.2f}, error {} at the finest step.", name, curve.slope,
                                            number(curve.points.back().y)));
    }
    if (model)
        sentences.push_back("The steps of " + model->label + " lie between Δ|A − iθ| = " + number(model->low) +
                            " and " + number(model->high) + ".");
    return sentences;
}

}  // namespace

plot::Figure error_figure(const StepLab& lab, const std::optional<ModelSteps>& model) {
    check(lab);
    if (model && !(model->low > 0 && model->low <= model->high && std::isfinite(model->high)))
        throw UserError("error figure: a model's steps must go from a size above 0 to a larger one, not from " +
                        number(model->low) + " to " + number(model->high));
    const std::vector<ErrorCurve> curves = error_curves(lab);
    plot::Panel panel;
    panel.id = "error";
    panel.x = step_axis(lab, model);
    panel.y = error_axis(curves);
    if (model)
        panel.marks.push_back(plot::Band{.id = "model",
                                         .along = plot::Direction::x,
                                         .low = model->low,
                                         .high = model->high,
                                         .style = {Role::mamba3, Weight::data, 0.8},
                                         .label = model->label});
    for (const ErrorCurve& curve : curves) add_curve(panel, curve);
    add_triangle(panel, curves, 1);
    add_triangle(panel, curves, 2);
    panel.marks.push_back(plot::Rule{.id = "step",
                                     .along = plot::Direction::x,
                                     .at = lab.dt * rate(lab),
                                     .style = {Role::accent},
                                     .label = "Δ = " + number(lab.dt)});
    plot::Figure figure;
    figure.id = "error";
    figure.claim = claim(curves);
    figure.subtitle = "|h(T) − exact| over Δ|A|, both logarithmic; " + description(lab);
    figure.panels.push_back(std::move(panel));
    figure.words = words(lab, curves, model);
    return figure;
}

}  // namespace whorl::viz
