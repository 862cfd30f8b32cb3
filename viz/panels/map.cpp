#include "viz/panels/map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.hpp"
#include "core/numerics/rotation.hpp"
#include "viz/panels/degrees.hpp"
#include "viz/panels/turning.hpp"
#include "viz/panels/wording.hpp"

namespace whorl::viz {
namespace {

using Complex = std::complex<double>;
using numerics::DiscretizationRule;

bool is_finite(Complex z) {
    return std::isfinite(z.real()) && std::isfinite(z.imag());
}

void check(const MapState& state) {
    if (state.cells < 2 || state.cells > 1000)
        throw UserError(fmt::format("map: {} cells each way; take 2 … 1000", state.cells));
    for (const ModelPlaces& places : state.model)
        if (!std::all_of(places.z.begin(), places.z.end(), is_finite))
            throw UserError("map: the model has a Δ(A − iθ) that is not finite");
    if (!std::all_of(state.lambda.begin(), state.lambda.end(), [](double x) { return x >= 0 && x <= 1; }))
        throw UserError("map: the model has a λ outside 0 … 1");
}

plot::Panel lambda_strip(const MapState& state) {
    constexpr int kBars = 40;
    std::vector<double> bars(kBars, 0);
    for (const double lambda : state.lambda) bars[static_cast<std::size_t>(std::min(kBars - 1.0, lambda * kBars))] += 1;
    plot::Panel panel;
    panel.id = "lambda";
    panel.row = 1;
    panel.columns = 2;
    panel.x = {.label = "the model's λ", .low = 0, .high = 1};
    panel.y.label = "steps";
    panel.y.low = 0;
    plot::Bars mark{.id = "lambda", .bars = {}, .style = {plot::Role::mamba3}, .thickness = 0.8 / kBars};
    for (int i = 0; i < kBars; ++i) mark.bars.push_back({(i + 0.5) / kBars, 0, bars[static_cast<std::size_t>(i)]});
    panel.marks.push_back(std::move(mark));
    return panel;
}

std::string claim(DiscretizationRule rule) {
    const std::string& name = style_of(rule).spoken;
    double worst = 0;
    for (int i = 0; i <= 100; ++i) worst = std::max(worst, off_by(rule, {0, kPlaneTop * i / 100}));
    if (worst < 1e-12) return capital(name) + " turns a state exactly as far as its equation";
    const double limit = limit_of_turning(rule) * kDegrees;
    if (limit <= 90) return "Without decay, " + name + " never reaches a quarter turn";
    if (limit <= 180) return "Without decay, " + name + " never reaches half a turn";
    return capital(name) + " turns by " + number(turned_angle(rule, kPi) * kDegrees) + "° where it should turn by 180°";
}

std::string model_words(const MapState& state) {
    std::vector<double> off;
    std::size_t outside = 0;
    for (const ModelPlaces& places : state.model)
        for (const Complex z : places.z) {
            off.push_back(off_by(state.rule, z));
            outside += in_plane(z) ? 0 : 1;
        }
    if (off.empty()) return {};
    const auto middle = off.begin() + static_cast<std::ptrdiff_t>(off.size() / 2);
    std::nth_element(off.begin(), middle, off.end());
    const std::string size = *middle < 1e-12          ? "0"
                             : std::isfinite(*middle) ? number(*middle, 2) + " or more"
                                                      : "without bound";
    return fmt::format(
        "The model took {} steps of a pair, {} of them outside the picture. At half of them |α − e^{{z}}| would be {}. "
        "A dot's area is the number of steps within {} of it.",
        off.size(), outside == 0 ? "none" : count(outside), size, number(kDotReach));
}

std::vector<std::string> words(const MapState& state) {
    const Complex at_half_turn = factor(state.rule, {0, kPi});
    std::vector<std::string> sentences{
        "The plane of z = ΔA, shaded by how far the factor of " + style_of(state.rule).spoken + " is from e^{z}.",
        fmt::format("At z = πi, half a turn a step, its factor has size {:.2f} and angle {:.0f}°; it should have 1 and "
                    "180°.",
                    std::abs(at_half_turn), turned_angle(state.rule, kPi) * kDegrees)};
    for (std::string& sentence : turning_words()) sentences.push_back(std::move(sentence));
    const std::string model = model_words(state);
    if (!model.empty()) sentences.push_back(model);
    return sentences;
}

}  // namespace

plot::Figure map_figure(const MapState& state) {
    check(state);
    plot::Figure figure;
    figure.id = "map";
    figure.claim = claim(state.rule);
    figure.subtitle = "shade: |α − e^{z}| of " + style_of(state.rule).spoken + ", z = ΔA";
    if (!state.model.empty()) figure.subtitle += "; dots: the model's own z, area = number of steps";
    figure.panels.push_back(plane_panel(state.rule, state.cells, state.model));
    figure.panels.push_back(turning_panel(state.rule));
    figure.column_shares = {0.58, 0.42};
    if (!state.lambda.empty()) {
        figure.panels.push_back(lambda_strip(state));
        figure.row_shares = {0.76, 0.24};
        figure.height += 140;
    }
    figure.words = words(state);
    return figure;
}

}  // namespace whorl::viz
