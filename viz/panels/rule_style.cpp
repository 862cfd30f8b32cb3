#include "viz/panels/rule_style.hpp"

#include <stdexcept>

#include "core/base/error.hpp"

namespace whorl::viz {

using numerics::DiscretizationRule;
using plot::Role;

const std::vector<RuleStyle>& rule_styles() {
    static const std::vector<RuleStyle> kStyles = {
        {DiscretizationRule::forward_euler, "forward-euler", "forward Euler", "forward Euler", Role::forward_euler},
        {DiscretizationRule::backward_euler, "backward-euler", "backward Euler", "backward Euler",
         Role::backward_euler},
        {DiscretizationRule::zero_order_hold, "zero-order-hold", "zero-order hold", "zero-order hold",
         Role::zero_order_hold},
        {DiscretizationRule::exponential_euler, "exponential-euler", "exponential Euler", "exponential Euler",
         Role::mamba2},
        {DiscretizationRule::bilinear, "bilinear", "bilinear", "the bilinear rule", Role::bilinear},
        {DiscretizationRule::exponential_trapezoid, "exponential-trapezoid", "exponential trapezoid",
         "the exponential trapezoid", Role::mamba3},
    };
    return kStyles;
}

std::vector<DiscretizationRule> all_rules() {
    std::vector<DiscretizationRule> rules;
    for (const RuleStyle& style : rule_styles()) rules.push_back(style.rule);
    return rules;
}

const RuleStyle& style_of(DiscretizationRule rule) {
    for (const RuleStyle& style : rule_styles())
        if (style.rule == rule) return style;
    throw std::logic_error("a rule without a style");
}

DiscretizationRule rule_named(const std::string& id) {
    std::vector<std::string> ids;
    for (const RuleStyle& style : rule_styles()) {
        if (style.id == id) return style.rule;
        ids.push_back(style.id);
    }
    throw UserError("there is no rule '" + id + "'" + suggestion(id, ids));
}

}  // namespace whorl::viz
