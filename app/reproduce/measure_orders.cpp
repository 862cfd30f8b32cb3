// Orders of discretization rules, on equations whose solution is known exactly.
#include <algorithm>

#include "app/reproduce/measurement.hpp"
#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/numerics/linear_ode.hpp"

namespace whorl {
namespace {

using numerics::DiscretizationRule;
using numerics::LinearOde;

struct NamedRule {
    const char* name;
    DiscretizationRule rule;
    double lambda;
};

const std::vector<NamedRule>& rules_by_name() {
    static const std::vector<NamedRule> rules = {
        {"forward-euler", DiscretizationRule::forward_euler, 0},
        {"backward-euler", DiscretizationRule::backward_euler, 0},
        {"bilinear", DiscretizationRule::bilinear, 0},
        {"zero-order-hold", DiscretizationRule::zero_order_hold, 0},
        {"exponential-euler", DiscretizationRule::exponential_euler, 0},
        {"exponential-trapezoid", DiscretizationRule::exponential_trapezoid, 0.5},
        {"lambda-0.4", DiscretizationRule::exponential_trapezoid, 0.4},
    };
    return rules;
}

struct NamedEquation {
    const char* name;
    LinearOde ode;
};

/// h' = A h + u with inputs that move: one decays, one also turns, one is driven near its own frequency.
const std::vector<NamedEquation>& equations() {
    static const std::vector<NamedEquation> list = {
        {"decay, u = τ", {{1, 0, 1, 0}, {{1, 1, 0}}, 0.5, 3}},
        {"decay and turn, u = e^{iτ}", {{0.5, 0, 1, 2}, {{1, 0, {0, 1}}}, 0, 4}},
        {"turn, u = τ² - e^{-τ}", {{0, 0, 1, 1.5}, {{1, 2, 0}, {-1, 0, -1}}, 1, 2}},
        {"fast decay, u = cos 3τ", {{4, 0, 1, 0}, {{0.5, 0, {0, 3}}, {0.5, 0, {0, -3}}}, 0, 3}},
    };
    return list;
}

/// The same with an A that moves in time, as the data make it do: a layer has it at the end of each step only.
LinearOde with_moving_a(LinearOde ode) {
    ode.a.decay = std::max(ode.a.decay, 0.5);
    ode.a.modulation = 0.6, ode.a.frequency = 1.7;
    return ode;
}

const NamedRule& rule_named(const std::string& row) {
    std::vector<std::string> names;
    for (const NamedRule& rule : rules_by_name()) {
        if (row == rule.name) return rule;
        names.emplace_back(rule.name);
    }
    throw UserError("no discretization rule is named " + in_quotes(row) + suggestion(row, names));
}

// Where every order shows, and nothing is lost to rounding yet.
const std::vector<int> kSteps = {256, 512, 1024, 2048};

}  // namespace

std::vector<MeasurementRecord> measure_orders(const TableMeasurement& measurement) {
    std::vector<MeasurementRecord> records;
    for (const std::string& row : measurement.rows) {
        const NamedRule& rule = rule_named(row);
        MeasurementRecord& record = records.emplace_back();
        record.row = row, record.unit = "order";
        for (const NamedEquation& equation : equations()) {
            const LinearOde ode =
                measurement.kind == MeasurementKind::order_moving ? with_moving_a(equation.ode) : equation.ode;
            record.values.push_back(
                numerics::convergence_order(ode, numerics::step_rule(rule.rule, rule.lambda), kSteps));
            record.names.emplace_back(equation.name);
        }
    }
    return records;
}

}  // namespace whorl
