#include "viz/panels/plane.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/numerics/rotation.hpp"
#include "viz/panels/clip.hpp"
#include "viz/panels/degrees.hpp"
#include "viz/panels/rule_style.hpp"
#include "viz/panels/turning.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using Complex = std::complex<double>;
using numerics::DiscretizationRule;
using plot::Point;
using plot::Role;
using plot::Weight;

constexpr double kFullShade = 2;                        // of |α - e^z|
constexpr double kLargestDot = 5, kSmallestDot = 0.25;  // areas

std::vector<double> edges(double low, double high, int cells) {
    std::vector<double> at;
    for (int i = 0; i <= cells; ++i) at.push_back(low + (high - low) * i / cells);
    return at;
}

plot::Grid shade(DiscretizationRule rule, int cells) {
    plot::Grid grid;
    grid.id = "off-by";
    grid.x_edges = edges(kPlaneLeft, kPlaneRight, cells);
    grid.y_edges = edges(-kPlaneTop, kPlaneTop, cells);
    grid.high = kFullShade;
    grid.label = "|α − e^{z}|";
    grid.high_text = number(kFullShade) + " or more";
    grid.values.reserve(static_cast<std::size_t>(cells) * static_cast<std::size_t>(cells));
    for (std::size_t row = 0; row + 1 < grid.y_edges.size(); ++row)
        for (std::size_t column = 0; column + 1 < grid.x_edges.size(); ++column) {
            const Complex z((grid.x_edges[column] + grid.x_edges[column + 1]) / 2,
                            (grid.y_edges[row] + grid.y_edges[row + 1]) / 2);
            const double off = off_by(rule, z);
            grid.values.push_back(std::min(off, kFullShade));
        }
    return grid;
}

/// Where |α| = 1: a circle about -1 or 1 for the two Euler rules, the imaginary axis for the others.
plot::Mark stability_boundary(DiscretizationRule rule) {
    const plot::Style style{Role::ink, Weight::data, 1, plot::Dash::solid};
    const bool circle = rule == DiscretizationRule::forward_euler || rule == DiscretizationRule::backward_euler;
    if (!circle) return plot::Rule{"boundary", plot::Direction::x, 0, style, "|α| = 1"};
    const double center = rule == DiscretizationRule::forward_euler ? -1 : 1;
    std::vector<Point> points;
    for (int degree = 0; degree <= 360; degree += 2)
        points.push_back({center * (1 - std::cos(degree / kDegrees)), std::sin(degree / kDegrees)});
    return plot::Line{"boundary", between_widths(points, kPlaneLeft, kPlaneRight), style, "|α| = 1"};
}

/// One dot for all z of a bin, at their mean.
plot::Points dots(const ModelPlaces& places, const std::string& id) {
    std::map<std::pair<long, long>, std::pair<Complex, double>> bins;
    for (const Complex z : places.z) {
        if (!in_plane(z)) continue;
        auto& [sum, number] = bins[{std::lround(z.real() / kDotReach), std::lround(z.imag() / kDotReach)}];
        sum += z;
        number += 1;
    }
    double most = 1;
    for (const auto& [bin, content] : bins) most = std::max(most, content.second);
    plot::Points points;
    points.id = id;
    points.style = {places.kept ? Role::mamba3 : Role::ink, Weight::data, places.kept ? 1 : 0.6};
    points.shape = places.shape;
    points.label = places.label;
    for (const auto& [bin, content] : bins) {
        const Complex mean = content.first / content.second;
        points.points.push_back({mean.real(), mean.imag()});
        points.sizes.push_back(std::max(kSmallestDot, content.second * std::min(1.0, kLargestDot / most)));
    }
    return points;
}

}  // namespace

bool in_plane(Complex z) {
    return z.real() >= kPlaneLeft && z.real() <= kPlaneRight && std::fabs(z.imag()) <= kPlaneTop;
}

double off_by(DiscretizationRule rule, Complex z) {
    const double off = std::abs(factor(rule, z) - std::exp(z));
    return std::isnan(off) ? HUGE_VAL : off;
}

plot::Panel plane_panel(DiscretizationRule rule, int cells, const std::vector<ModelPlaces>& model) {
    plot::Panel panel;
    panel.id = "plane";
    panel.title = capital(style_of(rule).name);
    panel.x = {.label = "Re z", .low = kPlaneLeft, .high = kPlaneRight};
    panel.y = {.label = "Im z", .low = -kPlaneTop, .high = kPlaneTop, .ticks = {{-kPi, "−π"}, {0, "0"}, {kPi, "π"}}};
    panel.marks.push_back(shade(rule, cells));
    for (const double half_turn : {-kPi, kPi})
        panel.marks.push_back(plot::Rule{.id = half_turn > 0 ? "half-turn" : "half-turn-back",
                                         .along = plot::Direction::y,
                                         .at = half_turn,
                                         .style = {Role::ink, Weight::hair, 1, plot::Dash::dashed},
                                         .label = half_turn > 0 ? "half a turn" : ""});
    panel.marks.push_back(stability_boundary(rule));
    for (const bool kept : {false, true})  // on top what the reader is to look at
        for (std::size_t i = 0; i < model.size(); ++i)
            if (model[i].kept == kept) panel.marks.push_back(dots(model[i], fmt::format("model-{}", i)));
    return panel;
}

}  // namespace whorl::viz
