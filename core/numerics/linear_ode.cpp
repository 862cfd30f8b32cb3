#include "core/numerics/linear_ode.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace whorl::numerics {
namespace {

/// ∫_0^T s^k e^{μs} ds as the power series in μ, for |μT| of order one, where the recurrence below would cancel.
Complex moment_by_series(Complex mu, int k, double end) {
    Complex term = std::pow(end, k + 1);
    Complex sum = term / double(k + 1);
    for (int j = 1; j < 200; ++j) {
        term *= mu * end / double(j);
        sum += term / double(k + 1 + j);
        if (std::abs(term) < 1e-18 * std::abs(sum)) break;
    }
    return sum;
}

/// ∫_0^T s^k e^{μs} ds by parts: T^k e^{μT}/μ - (k/μ) · the same with k - 1.
Complex moment(Complex mu, int k, double end) {
    if (std::abs(mu) * end < k + 1.0) return moment_by_series(mu, k, end);
    const Complex edge = std::exp(mu * end);
    Complex result = (edge - 1.0) / mu;
    for (int j = 1; j <= k; ++j) result = (std::pow(end, j) * edge - double(j) * result) / mu;
    return result;
}

/// The state at `end` under a constant A.
Complex closed_form(const LinearOde& ode, double end) {
    const Complex a = ode.a.at(0);
    Complex driven = 0;
    for (const InputTerm& term : ode.input) driven += term.amplitude * moment(term.rate - a, term.power, end);
    return std::exp(a * end) * (ode.initial + driven);
}

/// Whether the closed form applies: it takes e^{-AT} back by e^{AT}, of which the first must stay a number.
bool has_closed_form(const LinearOde& ode, double end) {
    constexpr double kLargestPower = 500;
    return ode.a.modulation == 0 && ode.a.decay * end < kLargestPower;
}

/// The fastest rate in the integrand, which sets how finely quadrature must divide the time.
double fastest_rate(const LinearOde& ode) {
    const Eigenvalue& a = ode.a;
    double rate = std::abs(Complex(a.decay * (1 + std::abs(a.modulation)), a.rotation)) + std::abs(a.frequency);
    for (const InputTerm& term : ode.input) rate = std::max(rate, std::abs(term.rate) + term.power / ode.duration);
    return rate;
}

/// The state at `end` from the one at `begin`.
Complex advance_by_quadrature(const LinearOde& ode, double begin, double end, Complex state) {
    // Sixteen nodes on a panel over which nothing turns or decays by more than one unit leave an error far below
    // rounding.
    static const Quadrature rule = gauss_legendre(16);
    const int panels = 1 + static_cast<int>(std::ceil((end - begin) * fastest_rate(ode)));
    const double half = (end - begin) / panels / 2;
    Complex driven = 0;
    for (int p = 0; p < panels; ++p) {
        for (std::size_t i = 0; i < rule.node.size(); ++i) {
            const double time = begin + (2 * p + 1 + rule.node[i]) * half;
            driven += half * rule.weight[i] * std::exp(ode.a.integral(time, end)) * ode.input_at(time);
        }
    }
    return std::exp(ode.a.integral(begin, end)) * state + driven;
}

double share_of_step(SampleAt at) {
    return at == SampleAt::begin ? 0 : at == SampleAt::middle ? 0.5 : 1;
}

}  // namespace

Complex Eigenvalue::at(double time) const {
    return {-decay * (1 + modulation * std::sin(frequency * time)), rotation};
}

Complex Eigenvalue::integral(double begin, double end) const {
    const double length = end - begin;
    if (modulation == 0 || frequency == 0) return at(0) * length;
    // (cos ωb - cos ωe)/ω as a product, which does not cancel for short intervals.
    const double waves = 2 * std::sin(frequency * (begin + end) / 2) * std::sin(frequency * length / 2) / frequency;
    return {-decay * (length + modulation * waves), rotation * length};
}

Complex LinearOde::input_at(double time) const {
    Complex sum = 0;
    for (const InputTerm& term : input) sum += term.amplitude * std::pow(time, term.power) * std::exp(term.rate * time);
    return sum;
}

Complex exact_state(const LinearOde& ode) {
    return has_closed_form(ode, ode.duration) ? closed_form(ode, ode.duration) : exact_state_by_quadrature(ode);
}

Complex exact_state_by_quadrature(const LinearOde& ode) {
    return advance_by_quadrature(ode, 0, ode.duration, ode.initial);
}

std::vector<Complex> exact_states(const LinearOde& ode, const std::vector<double>& times) {
    std::vector<Complex> states;
    states.reserve(times.size());
    double before = 0;
    Complex state = ode.initial;
    for (const double time : times) {
        if (time < before) throw std::logic_error("exact_states: times must ascend from 0");
        state = has_closed_form(ode, time) ? closed_form(ode, time) : advance_by_quadrature(ode, before, time, state);
        states.push_back(state);
        before = time;
    }
    return states;
}

StepRule step_rule(DiscretizationRule rule, double lambda) {
    return [=](double dt, Complex a) { return discretize(rule, dt, a, lambda); };
}

std::vector<Complex> integrate(const LinearOde& ode, const StepRule& rule, int steps, SampleAt a_at) {
    const double dt = ode.duration / steps;
    const double share = share_of_step(a_at);
    std::vector<Complex> states{ode.initial};
    states.reserve(static_cast<std::size_t>(steps) + 1);
    Complex before = ode.input_at(0);
    for (int k = 1; k <= steps; ++k) {
        const Complex now = ode.input_at(k * dt);
        const auto c = rule(dt, ode.a.at((k - 1 + share) * dt));
        states.push_back(c.alpha * states.back() + c.beta * before + c.gamma * now);
        before = now;
    }
    return states;
}

double final_error(const LinearOde& ode, const StepRule& rule, int steps, SampleAt a_at) {
    return std::abs(integrate(ode, rule, steps, a_at).back() - exact_state(ode));
}

double power_law(const std::vector<double>& x, const std::vector<double>& y) {
    double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double log_x = std::log(x[i]), log_y = std::log(y[i]);
        sum_x += log_x;
        sum_y += log_y;
        sum_xx += log_x * log_x;
        sum_xy += log_x * log_y;
    }
    const auto count = static_cast<double>(x.size());
    return (count * sum_xy - sum_x * sum_y) / (count * sum_xx - sum_x * sum_x);
}

double convergence_order(const LinearOde& ode, const StepRule& rule, const std::vector<int>& steps, SampleAt a_at) {
    std::vector<double> dt, error;
    for (const int n : steps) {
        dt.push_back(ode.duration / n);
        error.push_back(final_error(ode, rule, n, a_at));
    }
    return power_law(dt, error);
}

Quadrature gauss_legendre(int n) {
    Quadrature rule;
    for (int i = 0; i < n; ++i) {
        double x = std::cos(3.14159265358979323846 * (i + 0.75) / (n + 0.5));
        double slope = 1;
        for (int newton = 0; newton < 8; ++newton) {
            double before = 1, p = x;  // Legendre polynomials by their three-term recurrence
            for (int k = 2; k <= n; ++k) {
                const double next = ((2 * k - 1) * x * p - (k - 1) * before) / k;
                before = p;
                p = next;
            }
            slope = n * (x * p - before) / (x * x - 1);
            x -= p / slope;
        }
        rule.node.push_back(x);
        rule.weight.push_back(2 / ((1 - x * x) * slope * slope));
    }
    return rule;
}

}  // namespace whorl::numerics
