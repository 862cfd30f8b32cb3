#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.hpp"
#include "core/numerics/rotation.hpp"
#include "viz/panels/map.hpp"
#include "viz/panels/turning.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using Complex = std::complex<double>;
using numerics::DiscretizationRule;

constexpr double kHalfTurn = numerics::pi<double>;

/// The same factor at places that favour no rule.
bool alike(DiscretizationRule a, DiscretizationRule b) {
    for (const Complex z : {Complex(-1.3, 0.4), Complex(-0.2, 3), Complex(0.3, -1.7)})
        if (std::abs(factor(a, z) - factor(b, z)) > 1e-12) return false;
    return true;
}

std::vector<std::vector<DiscretizationRule>> rules_by_factor() {
    std::vector<std::vector<DiscretizationRule>> groups;
    for (const DiscretizationRule rule : all_rules()) {
        const auto same =
            std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return alike(group.front(), rule); });
        if (same == groups.end())
            groups.push_back({rule});
        else
            same->push_back(rule);
    }
    return groups;
}

/// Of all rules: those that turn by half where half a turn is asked for, and those that turn by less.
struct Turners {
    std::size_t right = 0, short_of_it = 0, all = 0;
};

Turners turners() {
    Turners found;
    for (const DiscretizationRule rule : all_rules()) {
        const double angle = turned_angle(rule, kHalfTurn);
        found.all += 1;
        if (std::fabs(angle - kHalfTurn) < 1e-9)
            found.right += 1;
        else if (angle < kHalfTurn)
            found.short_of_it += 1;
    }
    return found;
}

std::string claim() {
    const Turners found = turners();
    const bool rest_is_short = found.right + found.short_of_it == found.all;
    return capital(count(found.right)) + " rules of " + count(found.all) +
           " turn a state as far as its equation; the others " + (rest_is_short ? "fall short" : "do not");
}

std::string names_of(const std::vector<DiscretizationRule>& rules) {
    std::vector<std::string> names;
    for (const DiscretizationRule rule : rules) names.push_back(style_of(rule).name);
    return capital(list(names));
}

}  // namespace

plot::Figure rule_maps_figure(int cells) {
    if (cells < 2 || cells > 1000) throw UserError(fmt::format("map: {} cells each way; take 2 … 1000", cells));
    plot::Figure figure;
    figure.id = "rule-maps";
    figure.claim = claim();
    figure.subtitle = "shade: |α − e^{z}|, z = ΔA, by rule";
    figure.height = 720;
    for (const auto& rules : rules_by_factor()) {
        plot::Panel panel = plane_panel(rules.front(), cells, {});
        panel.id = style_of(rules.front()).id;
        panel.title = names_of(rules);
        panel.row = static_cast<int>(figure.panels.size()) / 2;
        panel.column = static_cast<int>(figure.panels.size()) % 2;
        figure.panels.push_back(std::move(panel));
        figure.words.push_back(fmt::format("{}: at z = πi the factor has size {:.2f} and angle {:.0f}°.",
                                           names_of(rules), std::abs(factor(rules.front(), {0, kHalfTurn})),
                                           turned_angle(rules.front(), kHalfTurn) * 180 / kHalfTurn));
    }
    return figure;
}

}  // namespace whorl::viz
