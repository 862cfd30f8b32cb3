#include "viz/panels/error_curves.hpp"

#include <algorithm>

namespace whorl::viz {
namespace {

using numerics::DiscretizationRule;
using plot::Point;

constexpr std::size_t kMeasured = 3;  // of them, the last, give the slope
constexpr double kRounding = 1e-13;   // errors below it say nothing about the rule

double slope_of(const std::vector<Point>& points) {
    std::vector<double> x, y;
    for (std::size_t i = points.size() - std::min(kMeasured, points.size()); i < points.size(); ++i) {
        x.push_back(points[i].x);
        y.push_back(points[i].y);
    }
    return x.size() < 2 ? 0 : numerics::power_law(x, y);
}

ErrorCurve measure(const StepLab& lab, DiscretizationRule rule) {
    const numerics::LinearOde ode = equation(lab);
    const numerics::Complex exact = exact_state(ode);
    ErrorCurve curve{.rule = rule, .points = {}, .exact = true};
    for (const int steps : kErrorSteps) {
        const auto states = integrate(ode, step_rule(lab, rule), steps, lab.a_at);
        const double error = std::abs(states.back() - exact);
        curve.exact = curve.exact && error <= kRounding;
        if (error > kRounding && std::isfinite(error))
            curve.points.push_back({ode.duration / steps * rate(lab), error});
    }
    curve.slope = slope_of(curve.points);
    return curve;
}

}  // namespace

std::vector<ErrorCurve> error_curves(const StepLab& lab) {
    std::vector<ErrorCurve> curves;
    for (const DiscretizationRule rule : lab.rules) curves.push_back(measure(lab, rule));
    return curves;
}

}  // namespace whorl::viz
