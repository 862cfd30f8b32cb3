// The scalar complex linear system h'(τ) = A(τ) h(τ) + u(τ), solved exactly and by any discretization: what convergence
// plots are made of.
//
// Sampling is the model's: step k of n has Δ = T/n, the coefficients use A at its end kΔ (or where SampleAt says), and
// u is sampled at both ends. Host only, in double; time is in arbitrary units, A in their inverse.
#pragma once

#include <complex>
#include <functional>
#include <vector>

#include "core/numerics/discretization.hpp"

namespace whorl::numerics {

using Complex = std::complex<double>;

/// A(τ) = -decay·(1 + modulation·sin(frequency·τ)) + i·rotation. A modulation of 0 makes it constant.
struct Eigenvalue {
    double decay = 1;
    double modulation = 0;
    double frequency = 1;
    double rotation = 0;

    Complex at(double time) const;
    /// ∫ A from `begin` to `end`, in closed form.
    Complex integral(double begin, double end) const;
};

/// amplitude · τ^power · e^{rate·τ}
struct InputTerm {
    Complex amplitude = 1;
    int power = 0;
    Complex rate = 0;
};

struct LinearOde {
    Eigenvalue a;
    std::vector<InputTerm> input;  // u is their sum
    Complex initial = 0;
    double duration = 1;

    Complex input_at(double time) const;
};

/// h(duration). A constant A uses the closed form, a modulated one, and one whose e^{-AT} is no number, Gauss-Legendre
/// quadrature of e^{∫A} u, both to about 1e-14 of the largest value of the input's integral.
Complex exact_state(const LinearOde& ode);

/// The same by quadrature whatever A is: the check of the closed form.
Complex exact_state_by_quadrature(const LinearOde& ode);

/// h at each of `times`, which ascend from 0 or later and may pass the duration: the curve that a plot draws. As
/// accurate as exact_state. A constant A costs the closed form each, a modulated one quadrature from each time to the
/// next. Throws std::logic_error for times that do not ascend.
std::vector<Complex> exact_states(const LinearOde& ode, const std::vector<double>& times);

/// The coefficients of one step of size `dt` with A frozen at `a`.
using StepRule = std::function<Coefficients<Complex>(double dt, Complex a)>;

/// `rule` with a fixed λ (exponential_trapezoid only).
StepRule step_rule(DiscretizationRule rule, double lambda = 0.5);

/// Where in a step the coefficients take A. A layer has it at the end only, where the token is; a second order with an
/// A that moves needs the middle.
enum class SampleAt { begin, middle, end };

/// h at the ends of all steps, the initial value first: steps + 1 states.
std::vector<Complex> integrate(const LinearOde& ode, const StepRule& rule, int steps, SampleAt a_at = SampleAt::end);

/// |h_n - h(duration)|
double final_error(const LinearOde& ode, const StepRule& rule, int steps, SampleAt a_at = SampleAt::end);

/// The p in y ≈ c·x^p: the least-squares slope of log y over log x, of two points at least.
double power_law(const std::vector<double>& x, const std::vector<double>& y);

/// The p in error ≈ c·Δ^p over the given numbers of steps (two at least).
double convergence_order(const LinearOde& ode, const StepRule& rule, const std::vector<int>& steps,
                         SampleAt a_at = SampleAt::end);

/// Nodes and weights of the n-point Gauss-Legendre rule on [-1, 1], exact for polynomials of degree 2n - 1.
struct Quadrature {
    std::vector<double> node;
    std::vector<double> weight;
};
Quadrature gauss_legendre(int n);

}  // namespace whorl::numerics
