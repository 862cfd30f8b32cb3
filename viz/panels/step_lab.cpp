#include "viz/panels/step_lab.hpp"

#include <cmath>
#include <set>

#include "core/base/error.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

constexpr double kInputRate = 1.3, kModulationRate = 1.7;

void require(bool good, const std::string& what, double value, const std::string& range) {
    if (!good) throw UserError("step lab: " + what + " is " + number(value) + "; take " + range);
}

}  // namespace

void check(const StepLab& lab) {
    require(std::isfinite(lab.decay) && std::fabs(lab.decay) <= 1e3, "the decay", lab.decay, "0 … 1000");
    require(std::isfinite(lab.rotation) && std::fabs(lab.rotation) <= 1e3, "the rotation", lab.rotation, "0 … 1000");
    require(lab.modulation >= 0 && lab.modulation <= 1, "the modulation", lab.modulation, "a share from 0 to 1");
    require(lab.lambda >= 0 && lab.lambda <= 1, "lambda", lab.lambda, "a weight from 0 to 1");
    require(lab.duration > 0 && lab.duration <= 1e3, "the duration", lab.duration, "one above 0 and at most 1000");
    require(-lab.decay * lab.duration <= 500, "the decay", lab.decay, "one that lets the state grow by e^500 at most");
    require(lab.dt > 0 && lab.dt <= lab.duration, "the step", lab.dt,
            "one above 0 and at most the duration, " + number(lab.duration));
    require(lab.duration / lab.dt <= 10000, "the step", lab.dt, "at least 10000th of the duration");
    require(rate(lab) > 0, "A", 0, "a decay or a rotation that is not 0");
    if (lab.rules.empty()) throw UserError("step lab: no rule is chosen; take one at least");
    if (std::set<numerics::DiscretizationRule>(lab.rules.begin(), lab.rules.end()).size() != lab.rules.size())
        throw UserError("step lab: a rule is chosen twice; name each once");
}

numerics::LinearOde equation(const StepLab& lab) {
    numerics::LinearOde ode;
    ode.a = {.decay = lab.decay, .modulation = lab.modulation, .frequency = kModulationRate, .rotation = lab.rotation};
    ode.input = {{0.5, 0, {0, kInputRate}}, {0.5, 0, {0, -kInputRate}}};  // a cosine
    ode.duration = lab.duration;
    return ode;
}

double rate(const StepLab& lab) {
    return std::abs(numerics::Complex(lab.decay, lab.rotation));
}

numerics::StepRule step_rule(const StepLab& lab, numerics::DiscretizationRule rule) {
    const numerics::StepRule step = numerics::step_rule(rule, lab.lambda);
    if (!lab.held) return step;
    return [step](double dt, numerics::Complex a) { return numerics::held_input(step(dt, a)); };
}

std::string description(const StepLab& lab) {
    const std::string turn = (lab.rotation < 0 ? " − " : " + ") + number(std::fabs(lab.rotation)) + "i";
    std::string text = "h′ = A h + cos " + number(kInputRate) + "τ, A = " + number(-lab.decay) + turn;
    if (lab.modulation != 0) {
        const char* const places[] = {"the beginning", "the middle", "the end"};
        text += ", decay moving by " + percent(lab.modulation) + " and taken at " + places[static_cast<int>(lab.a_at)] +
                " of a step";
    }
    if (lab.lambda != 0.5) text += ", λ = " + number(lab.lambda);
    if (lab.held) text += ", input as layers take it";
    return text;
}

}  // namespace whorl::viz
