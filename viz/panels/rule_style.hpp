// The six rules as figures name and draw them: one order, one name, one role each.
#pragma once

#include <string>
#include <vector>

#include "core/numerics/discretization.hpp"
#include "viz/plot/figure.hpp"

namespace whorl::viz {

struct RuleStyle {
    numerics::DiscretizationRule rule;
    std::string id;      // of marks: "forward-euler"
    std::string name;    // of labels: "bilinear"
    std::string spoken;  // in a sentence: "the bilinear rule"
    plot::Role role;
};

/// All six, from the crudest on.
const std::vector<RuleStyle>& rule_styles();
std::vector<numerics::DiscretizationRule> all_rules();

const RuleStyle& style_of(numerics::DiscretizationRule rule);

/// The rule with that id. Throws UserError with the nearest.
numerics::DiscretizationRule rule_named(const std::string& id);

}  // namespace whorl::viz
