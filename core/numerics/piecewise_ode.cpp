#include "core/numerics/piecewise_ode.hpp"

#include <cmath>
#include <stdexcept>

#include "core/numerics/first_order_hold.hpp"

namespace whorl::numerics {
namespace {

Complex input_before(const PiecewiseOde& ode, std::size_t step) {
    return step == 0 ? ode.input_before : ode.input[step - 1];
}

/// The state after `share` of step k, from the one at its beginning.
Complex advance(const PiecewiseOde& ode, std::size_t k, double share, Complex state) {
    const double dt = share * ode.dt[k];
    if (ode.between == Between::held) {
        const auto c = zero_order_hold(dt, ode.a[k]);
        return c.alpha * state + c.gamma * ode.input[k];
    }
    const Complex before = input_before(ode, k);
    const Complex now = before + share * (ode.input[k] - before);  // straight up to here
    const auto c = first_order_hold(dt, ode.a[k]);
    return c.alpha * state + c.beta * before + c.gamma * now;
}

}  // namespace

void check(const PiecewiseOde& ode) {
    if (ode.a.size() != ode.dt.size() || ode.input.size() != ode.dt.size())
        throw std::logic_error("PiecewiseOde: dt, a and input must have one entry per step");
    for (const double dt : ode.dt)
        if (!(dt >= 0) || !std::isfinite(dt)) throw std::logic_error("PiecewiseOde: a step is as long as 0 or more");
}

std::vector<Complex> exact_states(const PiecewiseOde& ode) {
    return exact_path(ode, 1);
}

std::vector<Complex> exact_path(const PiecewiseOde& ode, int points) {
    check(ode);
    std::vector<Complex> path{ode.initial};
    path.reserve(ode.dt.size() * static_cast<std::size_t>(points) + 1);
    for (std::size_t k = 0; k < ode.dt.size(); ++k) {
        const Complex begin = path.back();
        for (int i = 1; i <= points; ++i) path.push_back(advance(ode, k, double(i) / points, begin));
    }
    return path;
}

std::vector<Complex> integrate(const PiecewiseOde& ode, DiscretizationRule rule, const std::vector<double>& lambda) {
    check(ode);
    if (!lambda.empty() && lambda.size() != ode.dt.size())
        throw std::logic_error("integrate: one lambda per step, or none");
    std::vector<Complex> states{ode.initial};
    states.reserve(ode.dt.size() + 1);
    for (std::size_t k = 0; k < ode.dt.size(); ++k) {
        const auto c = discretize(rule, ode.dt[k], ode.a[k], lambda.empty() ? 0.5 : lambda[k]);
        states.push_back(c.alpha * states.back() + c.beta * input_before(ode, k) + c.gamma * ode.input[k]);
    }
    return states;
}

}  // namespace whorl::numerics
