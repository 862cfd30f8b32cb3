#include "core/numerics/first_order_hold.hpp"

#include <cmath>

#include "core/numerics/linear_ode.hpp"
#include "tests/support/catch.hpp"

namespace n = whorl::numerics;
using n::Complex;

namespace {

constexpr double kPi = 3.14159265358979323846;

/// ∫ weight(s) e^{z(1-s)} ds over [0, 1], which both weights are by definition.
template <class Weight>
Complex integral(Complex z, Weight weight) {
    static const n::Quadrature rule = n::gauss_legendre(40);
    Complex sum = 0;
    for (std::size_t i = 0; i < rule.node.size(); ++i) {
        const double s = (1 + rule.node[i]) / 2;
        sum += rule.weight[i] / 2 * weight(s) * std::exp(z * (1 - s));
    }
    return sum;
}

/// Both sides of the switch between series and closed form, tiny, turning, decaying and growing.
const std::vector<Complex> kPlaces = {0,          1e-12,      {0, 1e-5}, {-1e-3, 2e-3}, {-0.7, 0.7},  {-0.71, 0.71},
                                      {0, 0.999}, {0, 1.001}, {-1, kPi}, {0, kPi},      {0, 2 * kPi}, {-8, 1},
                                      {3, -2},    {-20, 5}};

n::StepRule straight_input() {
    return [](double dt, Complex a) { return n::first_order_hold(dt, a); };
}

}  // namespace

TEST_CASE("weights of a rising and a falling input are their integrals", "[numerics]") {
    // Metric: error over 1 + |e^z|, the size of the integrand; some roundings.
    for (const Complex z : kPlaces) {
        CAPTURE(z);
        const double size = 1 + std::abs(std::exp(z));
        CHECK(std::abs(n::rising_weight(z) - integral(z, [](double s) { return s; })) < 2e-15 * size);
        CHECK(std::abs(n::falling_weight(z) - integral(z, [](double s) { return 1 - s; })) < 2e-15 * size);
        CHECK(std::abs(n::rising_weight(z) + n::falling_weight(z) - n::mean_exponential(z)) < 2e-15 * size);
    }
}

TEST_CASE("weights of real and complex arguments agree", "[numerics]") {
    for (const double z : {-30.0, -1.5, -0.5, 0.0, 1e-9, 0.9, 4.0}) {
        CAPTURE(z);
        CHECK(std::abs(n::rising_weight(Complex(z)) - n::rising_weight(z)) < 1e-15 * (1 + std::exp(z)));
        CHECK(std::abs(n::falling_weight(Complex(z)) - n::falling_weight(z)) < 1e-15 * (1 + std::exp(z)));
    }
}

TEST_CASE("first-order hold is exact for an input that is straight", "[numerics]") {
    n::LinearOde ode;
    ode.a = {.decay = 0.8, .modulation = 0, .frequency = 1, .rotation = 2};
    ode.input = {{Complex(1, 0.3), 0, 0}, {Complex(-0.4, 0.7), 1, 0}};
    ode.initial = Complex(0.5, -0.25);
    ode.duration = 3;
    for (const int steps : {1, 3, 50}) {
        CAPTURE(steps);
        CHECK(n::final_error(ode, straight_input(), steps) < 1e-14);  // rounding only
        CHECK(n::final_error(ode, n::step_rule(n::DiscretizationRule::exponential_trapezoid), steps) > 1e-4);
    }
}

TEST_CASE("first-order hold is of second order for an input that bends", "[numerics]") {
    n::LinearOde ode;
    ode.a = {.decay = 0.8, .modulation = 0, .frequency = 1, .rotation = 2};
    ode.input = {{Complex(1, 0.3), 0, Complex(-0.2, 1.3)}};
    ode.duration = 2;
    CHECK(n::convergence_order(ode, straight_input(), {1024, 2048, 4096}) == Approx(2).margin(0.02));
}

TEST_CASE("at half a turn a step the input weights of Mamba's rules are off by more than themselves", "[numerics]") {
    const Complex half_turn(0, kPi);
    const auto euler = n::discretize(n::DiscretizationRule::exponential_euler, 1.0, half_turn);
    const Complex held = n::zero_order_hold(1.0, half_turn).gamma;
    CHECK(100 * std::abs(euler.gamma - held) / std::abs(held) == Approx(186).margin(0.5));
    const auto trapezoid = n::discretize(n::DiscretizationRule::exponential_trapezoid, 1.0, half_turn);
    const Complex straight = n::first_order_hold(1.0, half_turn).gamma;
    CHECK(100 * std::abs(trapezoid.gamma - straight) / std::abs(straight) == Approx(115).margin(0.5));
}
