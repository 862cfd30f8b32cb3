#include "core/numerics/linear_ode.hpp"

#include <algorithm>
#include <cmath>

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

Complex closed_form(const LinearOde& ode) {
    const Complex a = ode.a.at(0);
    const double end = ode.duration;
    Complex driven = 0;
    for (const InputTerm& term : ode.input) driven += term.amplitude * moment(term.rate - a, term.power, end);
    return std::exp(a * end) * (ode.initial + driven);
}

/// The fastest rate in the integrand, which sets how finely quadrature must divide the time.
double fastest_rate(const LinearOde& ode) {
    const Eigenvalue& a = ode.a;
    double rate = std::abs(Complex(a.decay * (1 + std::abs(a.modulation)), a.rotation)) + std::abs(a.frequency);
    for (const InputTerm& term : ode.input) rate = std::max(rate, std::abs(term.rate) + term.power / ode.duration);
    return rate;
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
    return ode.a.modulation == 0 ? closed_form(ode) : exact_state_by_quadrature(ode);
}

Complex exact_state_by_quadrature(const LinearOde& ode) {
    // Sixteen nodes on a panel over which nothing turns or decays by more than one unit leave an error far below
    // rounding.
    const Quadrature rule = gauss_legendre(16);
    const int panels = 1 + static_cast<int>(std::ceil(ode.duration * fastest_rate(ode)));
    const double half = ode.duration / panels / 2;
    Complex driven = 0;
    for (int p = 0; p < panels; ++p) {
        for (std::size_t i = 0; i < rule.node.size(); ++i) {
            const double time = (2 * p + 1 + rule.node[i]) * half;
            driven += half * rule.weight[i] * std::exp(ode.a.integral(time, ode.duration)) * ode.input_at(time);
        }
    }
    return std::exp(ode.a.integral(0, ode.duration)) * ode.initial + driven;
}

StepRule step_rule(DiscretizationRule rule, double lambda) {
    return [=](double dt, Complex a) { return discretize(rule, dt, a, lambda); };
}

std::vector<Complex> integrate(const LinearOde& ode, const StepRule& rule, int steps) {
    const double dt = ode.duration / steps;
    std::vector<Complex> states{ode.initial};
    states.reserve(static_cast<std::size_t>(steps) + 1);
    Complex before = ode.input_at(0);
    for (int k = 1; k <= steps; ++k) {
        const Complex now = ode.input_at(k * dt);
        const auto c = rule(dt, ode.a.at(k * dt));
        states.push_back(c.alpha * states.back() + c.beta * before + c.gamma * now);
        before = now;
    }
    return states;
}

double final_error(const LinearOde& ode, const StepRule& rule, int steps) {
    return std::abs(integrate(ode, rule, steps).back() - exact_state(ode));
}

double convergence_order(const LinearOde& ode, const StepRule& rule, const std::vector<int>& steps) {
    double x = 0, y = 0, xx = 0, xy = 0;
    for (const int n : steps) {
        const double log_dt = std::log(ode.duration / n);
        const double log_error = std::log(final_error(ode, rule, n));
        x += log_dt;
        y += log_error;
        xx += log_dt * log_dt;
        xy += log_dt * log_error;
    }
    const auto count = static_cast<double>(steps.size());
    return (count * xy - x * y) / (count * xx - x * x);
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
